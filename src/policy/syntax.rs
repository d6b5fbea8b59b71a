//! The record of a parsed CEL expression: `build.rs` writes one for every expression of the built-in policies, and the tool
//! hears it instead of parsing the text again; both compile this file.
//!
//! A node is a byte that says what it is and what follows from it. Places are not kept: a built-in expression has no fault
//! that would need one.
#![allow(dead_code, reason = "the build script writes, the tool reads")]

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue,
    MapEntryExpr, MapExpr, SelectExpr,
};

use crate::record::{number, text, write_number, write_text};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const UINT: u8 = 4;
const DOUBLE: u8 = 5;
const STRING: u8 = 6;
const IDENT: u8 = 7;
const FIELD: u8 = 8;
const HAS: u8 = 9;
const CALL: u8 = 10;
const METHOD: u8 = 11;
const LIST: u8 = 12;
const MAP: u8 = 13;
const MACRO: u8 = 14;

/// Writes what the parser says of an expression. `None` if that is nothing this language has; what was written by then is no
/// record.
pub(crate) fn write(record: &mut Vec<u8>, node: &IdedExpr) -> Option<()> {
    match &node.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Null => record.push(NULL),
            LiteralValue::Boolean(value) => record.push(if *value.inner() { TRUE } else { FALSE }),
            LiteralValue::Int(value) => {
                record.push(INT);
                record.extend(value.inner().to_le_bytes());
            }
            LiteralValue::UInt(value) => {
                record.push(UINT);
                record.extend(value.inner().to_le_bytes());
            }
            LiteralValue::Double(value) => {
                record.push(DOUBLE);
                record.extend(value.inner().to_le_bytes());
            }
            LiteralValue::String(value) => {
                record.push(STRING);
                write_text(record, value.inner());
            }
            LiteralValue::Bytes(_) => return None,
        },
        Expr::Ident(name) => {
            record.push(IDENT);
            write_text(record, name);
        }
        Expr::Select(select) => {
            record.push(if select.test { HAS } else { FIELD });
            write_text(record, &select.field);
            write(record, &select.operand)?;
        }
        Expr::Call(call) => {
            record.push(if call.target.is_some() { METHOD } else { CALL });
            write_text(record, &call.func_name);
            if let Some(target) = &call.target {
                write(record, target)?;
            }
            write_all(record, &call.args)?;
        }
        Expr::List(list) if list.optional_indices.is_empty() => {
            record.push(LIST);
            write_all(record, &list.elements)?;
        }
        Expr::Map(map) => {
            record.push(MAP);
            write_number(record, map.entries.len());
            for entry in &map.entries {
                match &entry.expr {
                    EntryExpr::MapEntry(entry) if !entry.optional => {
                        write(record, &entry.key)?;
                        write(record, &entry.value)?;
                    }
                    _ => return None,
                }
            }
        }
        // Of what a macro expands to the range, the variable and the step say which macro it is, and everything else.
        Expr::Comprehension(comprehension) if comprehension.iter_var2.is_none() => {
            record.push(MACRO);
            write_text(record, &comprehension.iter_var);
            write(record, &comprehension.iter_range)?;
            write(record, &comprehension.loop_step)?;
        }
        Expr::List(_) | Expr::Comprehension(_) | Expr::Struct(_) | Expr::Unspecified => return None,
    }
    Some(())
}

fn write_all(record: &mut Vec<u8>, nodes: &[IdedExpr]) -> Option<()> {
    write_number(record, nodes.len());
    nodes.iter().try_for_each(|node| write(record, node))
}

/// Takes an expression from the front of a record; `None` if that is no such record.
pub(crate) fn read(rest: &mut &[u8]) -> Option<IdedExpr> {
    let (kind, after) = rest.split_first()?;
    *rest = after;
    let expr = match *kind {
        NULL => Expr::Literal(LiteralValue::Null),
        FALSE => Expr::Literal(LiteralValue::Boolean(false.into())),
        TRUE => Expr::Literal(LiteralValue::Boolean(true.into())),
        INT => Expr::Literal(LiteralValue::Int(i64::from_le_bytes(eight(rest)?).into())),
        UINT => Expr::Literal(LiteralValue::UInt(u64::from_le_bytes(eight(rest)?).into())),
        DOUBLE => Expr::Literal(LiteralValue::Double(f64::from_le_bytes(eight(rest)?).into())),
        STRING => Expr::Literal(LiteralValue::String(text(rest)?.to_owned().into())),
        IDENT => Expr::Ident(text(rest)?.to_owned()),
        FIELD | HAS => {
            let field = text(rest)?.to_owned();
            Expr::Select(SelectExpr { operand: Box::new(read(rest)?), field, test: *kind == HAS })
        }
        CALL | METHOD => {
            let func_name = text(rest)?.to_owned();
            let target = if *kind == METHOD { Some(Box::new(read(rest)?)) } else { None };
            Expr::Call(CallExpr { func_name, target, args: read_all(rest)? })
        }
        LIST => Expr::List(ListExpr::new(read_all(rest)?)),
        MAP => {
            let count = number(rest)?;
            let entry = |rest: &mut &[u8]| {
                let (key, value) = (read(rest)?, read(rest)?);
                let expr = EntryExpr::MapEntry(MapEntryExpr { key, value, optional: false });
                Some(IdedEntryExpr { id: 0, expr })
            };
            Expr::Map(MapExpr { entries: (0..count).map(|_| entry(rest)).collect::<Option<_>>()? })
        }
        MACRO => {
            let iter_var = text(rest)?.to_owned();
            let (iter_range, loop_step) = (read(rest)?, read(rest)?);
            let comprehension =
                ComprehensionExpr { iter_var, iter_range, loop_step, ..ComprehensionExpr::default() };
            Expr::Comprehension(Box::new(comprehension))
        }
        _ => return None,
    };
    Some(IdedExpr { id: 0, expr })
}

fn read_all(rest: &mut &[u8]) -> Option<Vec<IdedExpr>> {
    let count = number(rest)?;
    (0..count).map(|_| read(rest)).collect()
}

fn eight(rest: &mut &[u8]) -> Option<[u8; 8]> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(*bytes)
}
