//! The functions Terraform 1.11 has and how many arguments they take, from
//! <https://developer.hashicorp.com/terraform/language/functions>.

use hcl_edit::expr::FuncCall;

use crate::source::{Finding, did_you_mean, fault};
use crate::terraform::declared::Place;

/// Any number of arguments from the least on.
const MANY: usize = usize::MAX;

/// Names of functions by the least and the most arguments they take.
const FUNCTIONS: &[(usize, usize, &str)] = &[
    (0, 0, "plantimestamp timestamp uuid"),
    (0, MANY, "merge"),
    (
        1,
        1,
        "abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename can ceil \
         chomp cidrnetmask compact csvdecode dirname distinct ephemeralasnull file filebase64 filebase64sha256 \
         filebase64sha512 fileexists filemd5 filesha1 filesha256 filesha512 flatten floor issensitive jsondecode \
         jsonencode keys length lower md5 nonsensitive one pathexpand reverse sensitive sha1 sha256 sha512 signum sort \
         strrev sum title tobool tolist tomap tonumber toset tostring transpose trimspace upper urlencode values \
         yamldecode yamlencode",
    ),
    (1, 2, "bcrypt"),
    (1, 3, "range"),
    (
        1,
        MANY,
        "cidrsubnets coalesce coalescelist concat format formatlist max min setintersection setproduct setunion try",
    ),
    (
        2,
        2,
        "chunklist cidrhost contains element endswith fileset formatdate indent index log parseint pow regex regexall \
         rsadecrypt setsubtract split startswith strcontains templatefile templatestring textdecodebase64 \
         textencodebase64 timeadd timecmp trim trimprefix trimsuffix uuidv5 zipmap",
    ),
    (2, 3, "lookup"),
    (2, MANY, "join"),
    (3, 3, "cidrsubnet matchkeys replace slice substr"),
];

/// What is wrong with the name of a function or the number of its arguments. Functions of providers are not judged.
pub(in crate::terraform) fn fault_of(place: Place<'_>, call: &FuncCall) -> Option<Finding> {
    if call.name.is_namespaced() && !super::is_core(&call.name) {
        return None;
    }
    let name = call.name.name.as_str();
    let span = place.of(&call.name.name);
    let known = FUNCTIONS
        .iter()
        .find(|(_, _, names)| names.split_whitespace().any(|known| known == name))
        .map(|(least, most, _)| (*least, *most));
    let Some((least, most)) = known else {
        let all = FUNCTIONS.iter().flat_map(|(_, _, names)| names.split_whitespace());
        let help = did_you_mean(name, all).map_or_else(
            || "Terraform has no functions of your own making: write the value, or an expression".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Some(
            Finding::fault(fault::TERRAFORM_REFERENCE, span, format!("Terraform has no function `{name}`"))
                .label("unknown function")
                .help(help),
        );
    };
    let found = call.args.len();
    // `list...` at the end stands for any number of arguments.
    let too_few = found < least && !call.args.expand_final();
    if !too_few && found <= most {
        return None;
    }
    let wanted = match (least, most) {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, MANY) => format!("{least} or more arguments"),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    };
    Some(
        Finding::fault(
            fault::HCL_SYNTAX,
            span,
            format!("not valid Terraform: `{name}` takes {wanted}, not {found}"),
        )
        .label(if too_few { "too few arguments" } else { "too many arguments" })
        .help(format!(
            "the order of its arguments: developer.hashicorp.com/terraform/language/functions/{name}"
        )),
    )
}
