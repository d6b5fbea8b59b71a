//! The guide "write your own policy in ten minutes" does what it says.

use nexafi_gen::cli::ExitCode;

use crate::cli::Desk;

const GUIDE: &str = include_str!("../../docs/your-own-policy.md");

/// The text of the first block of a language.
fn block(language: &str) -> &'static str {
    let start = GUIDE.find(&format!("```{language}\n")).unwrap() + language.len() + 4;
    let end = GUIDE[start..].find("```").unwrap();
    &GUIDE[start..start + end]
}

#[test]
fn the_policy_of_the_guide_works_as_the_guide_says() {
    let desk = Desk::new();
    desk.put("policies/payments/queue-retention.yaml", block("yaml"));
    let test = desk.run("policies test policies");
    assert_eq!(test.code, ExitCode::Clean, "{}{}", test.out, test.err);
    let shown = block("console").split_once('\n').unwrap().1;
    assert_eq!(format!("{}{}", test.out, test.err), shown);

    desk.put("queues.tf", block("hcl"));
    let lint = desk.run("lint queues.tf --policies policies --select BANK-PAY-001");
    assert_eq!(lint.code, ExitCode::Findings);
    assert_eq!(lint.out, block("text"), "{}", lint.err);
}
