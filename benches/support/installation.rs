//! Data directories with a history, and the real server on them in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headgate::bootstrap::{self, Running, Variation, directory};
use headgate::config::{Config, Sources};
use headgate::domain::SystemClock;
use headgate::domain::setup::Rules;
use headgate::lifecycle::Lifecycle;
use headgate::platform::HttpOptions;
use headgate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort, ListedFlow};
use headgate::store::{self, Store};

use super::process::{NO_PLATFORM, headgate, run};

pub const LOGIN: &str = "ana";
pub const PASSWORD: &str = "correct horse battery";
pub const TEAM: &str = "Retail data";

/// How large a history is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub flows: usize,
    pub runs_per_flow: usize,
}

impl Size {
    pub fn runs(self) -> usize {
        self.flows * self.runs_per_flow
    }
}

/// A data directory with a generated history.
pub struct Installation {
    pub directory: PathBuf,
    /// Goes with this value, unless the directory was named by a person.
    _temporary: Option<tempfile::TempDir>,
}

impl Installation {
    /// Makes one, or takes the one that an earlier benchmark has left below `kept`.
    pub fn of(size: Size, kept: &str) -> Self {
        let temporary = kept.is_empty().then(|| tempfile::tempdir().unwrap());
        let root = temporary
            .as_ref()
            .map_or(Path::new(kept), |directory| directory.path());
        let installation = Self {
            directory: root.join(format!("{}x{}", size.flows, size.runs_per_flow)),
            _temporary: temporary,
        };
        if !installation.database().exists() {
            installation.generate(size);
        }
        installation
    }

    fn generate(&self, size: Size) {
        let (flows, runs) = (size.flows.to_string(), size.runs_per_flow.to_string());
        let days = size.runs_per_flow.min(30).to_string();
        let command = headgate(
            &self.directory,
            NO_PLATFORM,
            &[
                "generate-history",
                "--flows",
                &flows,
                "--runs-per-flow",
                &runs,
                "--days",
                &days,
                "--team",
                TEAM,
                "--login",
                LOGIN,
            ],
        );
        run(command, &format!("{PASSWORD}\n"));
    }

    pub fn database(&self) -> PathBuf {
        directory::database(&self.directory)
    }

    /// The real server on it, without a platform to read from.
    pub async fn serve(&self) -> Running {
        let flags = [
            ("listen", "127.0.0.1:0".to_owned()),
            ("data_dir", self.directory.display().to_string()),
            ("platform_url", NO_PLATFORM.to_owned()),
            ("ims_url", NO_PLATFORM.to_owned()),
            ("history_interval_seconds", "3600".to_owned()),
        ];
        let sources = Sources {
            file: None,
            environment: Default::default(),
            flags: flags.to_vec(),
        };
        let config = Config::load(sources).unwrap().config;
        let variation = Variation {
            clock: Arc::new(SystemClock),
            rules: Rules::settling_within(config.settle_seconds),
            http: HttpOptions::default(),
            demo: None,
        };
        bootstrap::start(&config, variation, Lifecycle::new())
            .await
            .unwrap()
    }
}

/// Environment and id of every flow of the team.
pub async fn flow_places(store: &Store) -> Vec<(String, String)> {
    let team = store::people::team_by_name(store, TEAM).await.unwrap().unwrap();
    let (filter, sort) = (FlowFilter::default(), FlowSort::Name);
    let flows = flow_lists::list(store, &team.id, filter, sort, 0, FlowPage::First, i64::MAX).await;
    let place = |flow: ListedFlow| (flow.environment_id, flow.id);
    flows.unwrap().into_iter().map(place).collect()
}
