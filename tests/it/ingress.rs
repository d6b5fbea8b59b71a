//! The way in from outside: one load balancer a region, what may reach it and what it reaches.

use crate::blueprint::{lines, load_text};
use crate::terraform_render::{at, terraform_of};

const IMAGE: &str = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/// A platform with the longest names there are, in as many regions, all of `settings` under `ingress`.
fn platform(regions: &[(&str, &str)], groups: &str, settings: &str) -> String {
    let mut text = format!(
        "apiVersion: nexafi-gen/v1\nname: a-platform-of-names\nenvironment: development\nowner: {{team: platform, email: a@nexafi.example}}\n\
         services: {{a: {{image: {{repository: r.example/a, digest: \"{IMAGE}\"}}}}}}\nregions:\n"
    );
    for (at, (role, aws)) in regions.iter().enumerate() {
        text.push_str(&format!(
            "  {role}: {{aws: {aws}, vpc: {{cidr: 10.{at}.0.0/16}}, cluster: {{nodeGroups: {groups}}}}}\n"
        ));
    }
    let certificates: Vec<String> = regions
        .iter()
        .map(|(role, aws)| format!("{role}: \"arn:aws:acm:{aws}:123456789012:certificate/1\""))
        .collect();
    text.push_str(&format!(
        "ingress:\n  host: x.nexafi.example\n  image: {{repository: r.example/nginx, digest: \"{IMAGE}\"}}\n  routes: [{{path: /, service: a}}]\n  \
         tls: {{certificates: {{{}}}}}\n{settings}",
        certificates.join(", ")
    ));
    text
}

const LONG: &[(&str, &str)] = &[
    ("thefirstofthreex", "us-east-1"),
    ("thesecondofthree", "us-west-2"),
    ("thethirdofthreex", "eu-west-1"),
];
const OPEN: &str = "{general: {}}";

#[test]
fn the_longest_names_fit_and_differ() {
    let module = terraform_of(&platform(LONG, OPEN, ""));
    let mut names = std::collections::BTreeSet::new();
    for (role, _) in LONG {
        let name = at(&module, &format!("aws_lb.{role}"), "name").as_str().unwrap().to_owned();
        assert!(name.len() <= 32 && !name.ends_with('-') && name.starts_with("a-platform"), "{name}");
        assert!(name.len() + "-requests-access-123456789012".len() <= 63);
        assert!(names.insert(name));
        assert!(module.get(&format!("aws_s3_bucket_logging.{role}_ingress_logs")).is_some());
    }
    // The third region holds no copies, so it has a bucket of access logs for these alone.
    assert!(module.get("aws_s3_bucket.thethirdofthreex_access_logs").is_some());
}

#[test]
fn only_443_is_open_and_only_to_whom_the_blueprint_names() {
    let one = &LONG[..1];
    let rules = |settings: &str| -> Vec<String> {
        let module = terraform_of(&platform(one, OPEN, settings));
        module
            .resources_of("aws_vpc_security_group_ingress_rule")
            .filter(|rule| rule.address.contains("_ingress_443_") || rule.address.contains("_ingress_80_"))
            .map(|rule| {
                format!(
                    "{} {}",
                    at(&module, &rule.address, "cidr_ipv4").as_str().unwrap(),
                    at(&module, &rule.address, "from_port")
                )
            })
            .collect()
    };
    assert_eq!(rules(""), ["0.0.0.0/0 443"]);
    assert_eq!(rules("  allowedCidrs: [203.0.113.0/24]\n"), ["203.0.113.0/24 443"]);
    assert_eq!(rules("  internal: true\n"), ["10.0.0.0/16 443"]);
    assert_eq!(rules("  plainHttp: redirect\n"), ["0.0.0.0/0 443", "0.0.0.0/0 80"]);
}

#[test]
fn an_internal_load_balancer_stands_in_private_subnets() {
    for (settings, tier) in [("", "public_"), ("  internal: true\n", "private_")] {
        let text = platform(&LONG[..1], OPEN, settings);
        let plan = load_text(&text).1.platform.unwrap().plan;
        let edge = plan.regions.values().next().unwrap().ingress.as_ref().unwrap();
        assert_eq!(edge.subnets.len(), 3);
        assert!(edge.subnets.iter().all(|subnet| subnet.starts_with(tier)), "{:?}", edge.subnets);
        let internal = at(&terraform_of(&text), "aws_lb.thefirstofthreex", "internal");
        assert_eq!(internal, settings.contains("true"));
    }
}

#[test]
fn it_leads_to_the_nodes_that_the_controller_runs_on() {
    let attached = |groups: &str| -> Vec<String> {
        let module = terraform_of(&platform(&LONG[..1], groups, ""));
        let all = module.resources_of("aws_autoscaling_attachment");
        all.map(|resource| resource.address.rsplit("firstofthreex_").next().unwrap().to_owned()).collect()
    };
    assert_eq!(attached("{money: {class: financial}, a: {}, b: {}}"), ["a", "b"]);
    // Where every group is tainted, the controller tolerates one, and rather not that for financial services.
    let tainted = "{money: {class: financial}, watch: {class: compliance}, a: {taints: [{key: x, effect: NoSchedule}]}}";
    assert_eq!(attached(tainted), ["watch"]);
}

#[test]
fn what_is_turned_off_is_not_there() {
    let off = "  accessLogs: false\n  waf: {enabled: false}\n";
    let module = terraform_of(&platform(&LONG[..2], OPEN, off));
    for type_ in
        ["aws_wafv2_web_acl", "aws_wafv2_web_acl_association", "aws_wafv2_web_acl_logging_configuration"]
    {
        assert_eq!(module.resources_of(type_).count(), 0, "{type_}");
    }
    assert!(module.get("aws_s3_bucket.thefirstofthreex_ingress_logs").is_none());
    let silent = terraform_of(&platform(
        &LONG[..1],
        OPEN,
        "  waf: {logs: false, managedRules: {common: {enabled: false}}}\n",
    ));
    assert_eq!(silent.resources_of("aws_wafv2_web_acl").count(), 1);
    assert_eq!(silent.resources_of("aws_wafv2_web_acl_logging_configuration").count(), 0);
}

#[test]
fn certificates_and_places_that_cannot_work_are_named() {
    let text = platform(&LONG[..2], OPEN, "")
        .replace("us-west-2:123456789012:certificate", "us-east-1:123456789012:certificate")
        .replace(
            "{certificates: {",
            "{certificates: {nowhere: \"arn:aws:acm:us-east-1:123456789012:certificate/1\", ",
        );
    let (sources, loaded) = load_text(&text);
    let told = lines(&sources, &loaded);
    assert!(told.contains("the load balancer of thesecondofthree cannot use"), "{told}");
    assert!(told.contains("there is a certificate for the region `nowhere`"), "{told}");

    let none = platform(&LONG[..1], OPEN, "")
        .replace("  tls: {certificates: {thefirstofthreex", "  tls: {issuer: a} #");
    let (sources, loaded) = load_text(&none);
    let told = lines(&sources, &loaded);
    assert!(told.contains("the load balancer of thefirstofthreex has no certificate"), "{told}");

    let closed = platform(&LONG[..1], OPEN, "")
        .replace("10.0.0.0/16}", "10.0.0.0/16, nat: {enabled: false}, subnets: {private: {}, database: {}}}");
    let (sources, loaded) = load_text(&closed);
    let told = lines(&sources, &loaded);
    assert!(told.contains("stands in public subnets, and it has none"), "{told}");
}
