//! The provider itself: one function a call of the protocol.

use std::sync::{Arc, PoisonError, RwLock};

use nexafi_gen::terraform::schema::{Block, Kind, aws};

use crate::attributes::{Place, fill, named};
use crate::facts::partition;
use crate::messages::{
    Applied, ApplyChange, AttributePath, ConfigureProvider, Diagnostic, DynamicValue, PlanChange, Planned,
    ProviderValidated, ReadResource, StateAndDiagnostics, TypedConfig, UpgradeState, ValidateProvider,
    Validated,
};
use crate::plan::{Settings, plan};
use crate::refuse::{Scene, scope};
use crate::store::Store;
use crate::value::Value;
use crate::{data, validate};

/// One configured provider, which is one process: Terraform starts one for each alias.
#[derive(Debug)]
pub struct Provider {
    store: Store,
    settings: RwLock<Settings>,
}

fn read(value: Option<&DynamicValue>) -> Result<Value, String> {
    value.map_or(Ok(Value::Null), |value| Value::decode(&value.msgpack))
}

fn write(value: &Value) -> DynamicValue {
    DynamicValue { msgpack: value.encode() }
}

fn schema(kind: Kind, type_: &str) -> Result<Arc<Block>, String> {
    aws().and_then(|schema| schema.get(kind, type_)).ok_or_else(|| format!("there is no type {type_}"))
}

fn errors<T>(result: Result<T, String>, summary: impl FnOnce() -> String) -> Result<T, Vec<Diagnostic>> {
    result.map_err(|detail| vec![Diagnostic::error(summary(), detail)])
}

impl Provider {
    /// A provider whose cloud is a store.
    pub fn new(store: Store) -> Self {
        Self { store, settings: RwLock::default() }
    }

    fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks the provider block.
    pub fn validate_provider(&self, request: &ValidateProvider) -> ProviderValidated {
        let config = match read(request.config.as_ref()) {
            Ok(config) => config,
            Err(error) => {
                return ProviderValidated { diagnostics: vec![Diagnostic::error("Unreadable", error)] };
            }
        };
        let region = config.at("region").text().unwrap_or_default().to_owned();
        let known = region.is_empty()
            || region.split('-').count() >= 3 && region.ends_with(|c: char| c.is_ascii_digit());
        let diagnostics = if known {
            Vec::new()
        } else {
            vec![Diagnostic::error("Invalid AWS Region", format!("Invalid AWS Region: {region}"))]
        };
        ProviderValidated { diagnostics }
    }

    /// Takes on the provider block.
    pub fn configure(&self, request: &ConfigureProvider) -> Validated {
        let diagnostics = match read(request.config.as_ref()) {
            Ok(config) if config.at("region").text().is_none() => {
                vec![Diagnostic::error("Invalid provider configuration", "invalid AWS Region: none is set")]
            }
            Ok(config) => {
                let settings = Settings {
                    region: config.at("region").text().unwrap_or_default().to_owned(),
                    default_tags: config.at("default_tags.tags").clone(),
                };
                *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
                Vec::new()
            }
            Err(error) => vec![Diagnostic::error("Unreadable", error)],
        };
        Validated { diagnostics }
    }

    /// Checks a resource's configuration.
    pub fn validate_resource(&self, request: &TypedConfig) -> Validated {
        Validated { diagnostics: validated(request, Kind::Resource, validate::resource) }
    }

    /// Checks a data source's configuration.
    pub fn validate_data(&self, request: &TypedConfig) -> Validated {
        Validated { diagnostics: validated(request, Kind::Data, validate::data) }
    }

    /// There is one version of every schema, so the state is what was stored.
    pub fn upgrade(&self, request: &UpgradeState) -> StateAndDiagnostics {
        let json = request.raw_state.as_ref().map_or(&[][..], |state| &state.json);
        match serde_json::from_slice(json) {
            Ok(json) => {
                StateAndDiagnostics { state: Some(write(&Value::from_json(json))), diagnostics: Vec::new() }
            }
            Err(error) => StateAndDiagnostics {
                state: None,
                diagnostics: vec![Diagnostic::error("Unreadable state", error.to_string())],
            },
        }
    }

    /// What is still there; null for what somebody deleted behind Terraform's back.
    pub fn read(&self, request: &ReadResource) -> StateAndDiagnostics {
        let state = match read(request.current_state.as_ref()) {
            Ok(state) => state,
            Err(error) => {
                return StateAndDiagnostics {
                    state: None,
                    diagnostics: vec![Diagnostic::error("Unreadable state", error)],
                };
            }
        };
        let settings = self.settings();
        let region = scope(&request.type_name, &settings.region);
        let there =
            identity(&state).is_none_or(|id| self.store.get(region, &request.type_name, id).is_some());
        let state = if there || !self.store.lasts() { state } else { Value::Null };
        StateAndDiagnostics { state: Some(write(&state)), diagnostics: Vec::new() }
    }

    /// Plans a change.
    pub fn plan(&self, request: &PlanChange) -> Planned {
        let planned = || -> Result<Planned, String> {
            let prior = read(request.prior_state.as_ref())?;
            let proposed = read(request.proposed_new_state.as_ref())?;
            if proposed.is_null() {
                return Ok(Planned { planned_state: Some(write(&proposed)), ..Planned::default() });
            }
            let block = schema(Kind::Resource, &request.type_name)?;
            let plan = plan(&request.type_name, &block, &prior, &proposed, &self.settings());
            Ok(Planned {
                planned_state: Some(write(&plan.state)),
                requires_replace: plan
                    .replace
                    .iter()
                    .map(|path| AttributePath::from_selectors(path))
                    .collect(),
                diagnostics: Vec::new(),
            })
        };
        planned().unwrap_or_else(|error| Planned {
            diagnostics: vec![Diagnostic::error(format!("planning {}", request.type_name), error)],
            ..Planned::default()
        })
    }

    /// Makes, changes or deletes an object.
    pub fn apply(&self, request: &ApplyChange) -> Applied {
        match self.applied(request) {
            Ok(state) => Applied { new_state: Some(write(&state)), diagnostics: Vec::new() },
            // What was there before is there still.
            Err(diagnostics) => Applied { new_state: request.prior_state.clone(), diagnostics },
        }
    }

    fn applied(&self, request: &ApplyChange) -> Result<Value, Vec<Diagnostic>> {
        let type_ = request.type_name.as_str();
        let doing = |what: &'static str| move || format!("{what} {type_}");
        let prior = errors(read(request.prior_state.as_ref()), doing("reading the state of"))?;
        let planned = errors(read(request.planned_state.as_ref()), doing("reading the plan of"))?;
        let settings = self.settings();
        let region = scope(type_, &settings.region);
        let scene = Scene { store: &self.store, region: &settings.region };
        if planned.is_null() {
            // What AWS has decides, not what terraform remembers: protection may have been taken off meanwhile.
            let id = identity(&prior).unwrap_or_default();
            let there = self.store.get(region, type_, id);
            errors(
                scene.kept(type_, there.as_ref().unwrap_or(&prior)).map_or(Ok(()), Err),
                doing("deleting"),
            )?;
            self.store.remove(region, type_, id);
            return Ok(Value::Null);
        }
        let what = if prior.is_null() { "creating" } else { "updating" };
        errors(scene.refusal(type_, &planned).map_or(Ok(()), Err), doing(what))?;
        let block = errors(schema(Kind::Resource, type_), doing(what))?;
        let mut nth = 0;
        let mut state = loop {
            let state = fill(&block, &planned, Place { type_, region: &settings.region, nth });
            let taken = prior.is_null()
                && self.store.get(region, type_, identity(&state).unwrap_or_default()).is_some();
            // One without an id has the name its configuration gives it.
            if taken && (named(type_) || state.at("id").text().is_none()) {
                let id = identity(&state).unwrap_or_default();
                let detail =
                    format!("EntityAlreadyExists: {id} already exists in {}", partition(&settings.region));
                return errors(Err(detail), doing(what));
            }
            if !taken {
                break state;
            }
            nth += 1;
        };
        if let Value::Map(members) = &mut state
            && type_ == "aws_launch_template"
            && let Some(before) = prior.at("latest_version").number()
        {
            members.insert("latest_version".to_owned(), Value::Number(before + 1.0));
        }
        let id = identity(&state).unwrap_or_default().to_owned();
        errors(
            self.store.put(region, type_, &id, &state).map_err(|error| error.to_string()),
            doing("keeping"),
        )?;
        Ok(state)
    }

    /// Answers a data source.
    pub fn read_data(&self, request: &TypedConfig) -> StateAndDiagnostics {
        let answer = read(request.config.as_ref())
            .and_then(|config| data::read(&request.type_name, &config, &self.settings(), &self.store));
        match answer {
            Ok(mut state) => {
                if let Value::Map(members) = &mut state
                    && members.get("region").is_some_and(Value::is_null)
                {
                    members.insert("region".to_owned(), self.settings().region.as_str().into());
                }
                StateAndDiagnostics { state: Some(write(&state)), diagnostics: Vec::new() }
            }
            Err(error) => StateAndDiagnostics {
                state: None,
                diagnostics: vec![Diagnostic::error(format!("reading {}", request.type_name), error)],
            },
        }
    }
}

/// What an object is kept by: its id, or its name where the type has none.
fn identity(object: &Value) -> Option<&str> {
    object.at("id").text().or_else(|| object.at("name").text())
}

fn validated(
    request: &TypedConfig,
    kind: Kind,
    check: impl Fn(&str, &Block, &Value) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let config = read(request.config.as_ref());
    match config.and_then(|config| Ok((schema(kind, &request.type_name)?, config))) {
        Ok((block, config)) => check(&request.type_name, &block, &config),
        Err(error) => vec![Diagnostic::error(format!("validating {}", request.type_name), error)],
    }
}
