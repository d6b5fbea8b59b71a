//! The arguments of every command.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::Format;
use crate::source::Severity;

use super::publish::{Target, TargetParser};

/// What is typed.
#[derive(Debug, Parser)]
#[command(
    name = "nexafi-gen",
    version,
    about = "Compliance-first infrastructure: one blueprint, proven against policies, compiled to Terraform and Kubernetes",
    after_help = "Exit codes: 0 clean, 1 findings at or above --fail-on or drift, 2 the arguments or an input cannot be \
                  used, 3 a fault of this tool.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Colours in the output; `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub(super) color: ColourChoice,
    /// Say only what was found
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(super) quiet: bool,
    /// Say what was passed over, too
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(super) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ColourChoice {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a commented starter blueprint
    Init(Init),
    /// Check blueprints, Terraform files and plans, and Kubernetes manifests against the policies
    Lint(Lint),
    /// Check a blueprint, then write the Terraform and Kubernetes files it describes
    Render(Render),
    /// Mend findings in blueprints by what their policies would write
    Fix(Fix),
    /// Say what a policy wants, why, and for which controls
    Explain(Explain),
    /// List the policies, or run their own examples
    Policies(Policies),
    /// Write what an auditor reads: every control, by which policy, shown on which lines, waived by whom
    Evidence(Evidence),
    /// Draw a blueprint's platform: where data lives, what can reach it, where the boundaries are
    Graph(Graph),
    /// Print a JSON Schema, for editors and for programs that read reports
    Schema(Schema),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print a manual page, or write all of them
    Man(Man),
}

/// `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The file to write; it must not exist yet
    #[arg(default_value = "blueprint.yaml")]
    pub(super) path: Utf8PathBuf,
}

/// `lint`.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Files and directories; what each file is, is found out from its content. Default: the working directory
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<Utf8PathBuf>,
    /// Write what stands open into a baseline that later runs can be given. With --baseline: keep of it what still
    /// stands, so that it shrinks and never grows
    #[arg(long, value_name = "FILE", help_heading = "Checks")]
    pub(super) write_baseline: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) given: Given,
    #[command(flatten)]
    pub(super) checks: Checks,
}

/// Values for the variables of Terraform modules, beside `terraform.tfvars` and `*.auto.tfvars`.
#[derive(Debug, Default, Args)]
pub(super) struct Given {
    /// A value for a variable of the root modules, as `terraform plan -var` takes it
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Terraform")]
    pub(super) var: Vec<String>,
    /// A file of values for variables, as `terraform plan -var-file` takes it
    #[arg(long, value_name = "FILE", help_heading = "Terraform")]
    pub(super) var_file: Vec<Utf8PathBuf>,
    /// Take values from the environment too: `TF_VAR_region` for the variable `region`
    #[arg(long, help_heading = "Terraform")]
    pub(super) var_env: bool,
}

/// `render`.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// The blueprint
    pub(super) blueprint: Utf8PathBuf,
    /// Where the files go. Default: `generated/` and the blueprint's `name`
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<Utf8PathBuf>,
    /// Write nothing; exit 1 and name every file on disk that is not what the blueprint renders to
    #[arg(long)]
    pub(super) check: bool,
    /// With --check: show the differences
    #[arg(long, requires = "check")]
    pub(super) diff: bool,
    /// Overwrite and remove files even if they were changed by hand since the last render
    #[arg(long, conflicts_with = "check")]
    pub(super) force: bool,
    /// Templates of your own that stand in for built-in ones of the same path (terraform/vpc.tf.j2)
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) checks: Checks,
}

/// `evidence`.
#[derive(Debug, Args)]
pub(super) struct Evidence {
    /// The blueprint
    pub(super) blueprint: Utf8PathBuf,
    /// Where `report.html` and `controls.csv` go; those of an earlier run are replaced
    #[arg(long, value_name = "DIR")]
    pub(super) out: Utf8PathBuf,
    /// Templates of your own, as given to `render`
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<Utf8PathBuf>,
    /// The severity from which on findings let the run end with 1; the page is written all the same
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY", help_heading = "Checks")]
    pub(super) fail_on: FailOn,
    /// Let what is unproven count like a failure of its severity
    #[arg(long, help_heading = "Checks")]
    pub(super) strict: bool,
    /// Only this framework (pci-dss-4.0.1), and only policies that prove a control of it
    #[arg(long, value_delimiter = ',', help_heading = "Checks")]
    pub(super) framework: Vec<String>,
    /// Policies of your own, beside the built-in ones
    #[arg(long, value_name = "DIR", help_heading = "Checks")]
    pub(super) policies: Vec<Utf8PathBuf>,
    /// The date to judge by (2026-12-31), for waivers that expire. Default: today
    #[arg(long, value_name = "DATE", help_heading = "Checks")]
    pub(super) at: Option<jiff::civil::Date>,
}

/// `fix`.
#[derive(Debug, Args)]
pub(super) struct Fix {
    /// Blueprints, and directories that hold some
    #[arg(required = true, value_name = "BLUEPRINT")]
    pub(super) blueprints: Vec<Utf8PathBuf>,
    /// Write nothing; print what would change as a unified diff
    #[arg(long)]
    pub(super) diff: bool,
    /// Make the changes too that replace or restart what is running, or cut somebody off
    #[arg(long = "unsafe")]
    pub(super) allow_unsafe: bool,
    /// The severity from which on a finding that is left makes the run exit 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY", help_heading = "Checks")]
    pub(super) fail_on: FailOn,
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// The date to judge by (2026-12-31), for waivers that expire. Default: today
    #[arg(long, value_name = "DATE", help_heading = "Checks")]
    pub(super) at: Option<jiff::civil::Date>,
}

/// What `lint` and `render` check, and how they report it.
#[derive(Debug, Default, Args)]
pub(super) struct Checks {
    /// How to report. Default: graphical
    #[arg(long, value_enum, help_heading = "Output")]
    pub(super) format: Option<Format>,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<Utf8PathBuf>,
    /// Write one more report, in one of the same formats (sarif=out.sarif), `-` being standard output. May be given
    /// several times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = TargetParser, help_heading = "Output")]
    pub(super) report: Vec<Target>,
    /// Report every verdict, those that passed too
    #[arg(long, help_heading = "Output")]
    pub(super) all: bool,
    /// The severity from which on findings fail the run: exit 1, and nothing is written
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY", help_heading = "Checks")]
    pub(super) fail_on: FailOn,
    /// Let what is unproven fail the run like a failure of its severity
    #[arg(long, help_heading = "Checks")]
    pub(super) strict: bool,
    /// A file of known findings, written by `lint --write-baseline`: only new ones fail
    #[arg(long, value_name = "FILE", help_heading = "Checks")]
    pub(super) baseline: Option<Utf8PathBuf>,
    /// Check custom resources by every `CustomResourceDefinition` below this directory, or by JSON Schemas called
    /// `group/kind_version.json` or `kind-group-version.json`. May be given several times
    #[arg(long, value_name = "DIR", help_heading = "Checks")]
    pub(super) crd_schema: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// The date to judge by (2026-12-31), for waivers that expire. Default: today
    #[arg(long, value_name = "DATE", help_heading = "Checks")]
    pub(super) at: Option<jiff::civil::Date>,
}

/// Which policies are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct Chosen {
    /// Only these policies: ids (NXF-NET-001) or domains (NET), separated by commas
    #[arg(long, value_delimiter = ',', value_name = "ID|DOMAIN", help_heading = "Checks")]
    pub(super) select: Vec<String>,
    /// Not these policies
    #[arg(long, value_delimiter = ',', value_name = "ID|DOMAIN", help_heading = "Checks")]
    pub(super) ignore: Vec<String>,
    /// Only policies that prove a control of this framework (pci-dss-4.0.1)
    #[arg(long, value_delimiter = ',', help_heading = "Checks")]
    pub(super) framework: Vec<String>,
    /// Policies of your own, beside the built-in ones
    #[arg(long, value_name = "DIR", help_heading = "Checks")]
    pub(super) policies: Vec<Utf8PathBuf>,
}

/// A threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    Critical,
    High,
    #[default]
    Medium,
    Low,
    Never,
}

impl FailOn {
    pub(super) fn threshold(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Never => None,
        }
    }
}

/// `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A policy (NXF-NET-001) or the code of an input fault (NXF-CFG-004)
    pub(super) id: String,
    /// Policies of your own, beside the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Vec<Utf8PathBuf>,
}

/// `policies`.
#[derive(Debug, Args)]
pub(super) struct Policies {
    #[command(subcommand)]
    pub(super) command: PoliciesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PoliciesCommand {
    /// One line a policy
    List(List),
    /// Run the examples inside the policies: each says which verdict it expects
    Test {
        /// A directory of policies; without one the built-in policies are tested
        directory: Option<Utf8PathBuf>,
    },
}

/// `policies list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// A table for people, or one JSON document with everything a policy file says but its rules
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: ListFormat,
    #[command(flatten)]
    pub(super) chosen: Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ListFormat {
    #[default]
    Table,
    Json,
}

/// `graph`.
#[derive(Debug, Args)]
pub(super) struct Graph {
    /// The blueprint
    pub(super) blueprint: Utf8PathBuf,
    /// In which language
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: GraphFormat,
    /// Write the picture to a file instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) output: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum GraphFormat {
    /// One self-contained SVG document, for browsers, documents and paper
    #[default]
    Svg,
    /// A Mermaid flowchart, for Markdown pages that draw it
    Mermaid,
    /// Graphviz's language
    Dot,
}

/// `schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    #[arg(value_enum)]
    pub(super) subject: SchemaSubject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaSubject {
    /// What a person writes
    Blueprint,
    /// One policy file
    Policy,
    /// What `--format json` prints
    Report,
}

/// `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command the page is of (`lint`, `policies test`). Default: the page of nexafi-gen itself
    #[arg(conflicts_with = "out")]
    pub(super) command: Vec<String>,
    /// Write the page of every command into this directory, which is made if need be
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<Utf8PathBuf>,
}
