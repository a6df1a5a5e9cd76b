//! What exists: accounts with their keys, pools with their users, and jobs; made from the scenario, changed by requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::{Clock, Moment, millis};
use crate::csv::{Schema, User};
use crate::fault::Faults;
use crate::import::{Import, Snapshot};
use crate::quota::Quotas;
use crate::random::Random;
use crate::scenario::{Contact, JobRule, PoolRule, Scenario};
use crate::script::Script;
use crate::sigv4::Keys;

const DEFAULT_ACCOUNT: &str = "123456789012";
const DEFAULT_REGION: &str = "us-east-1";

/// Everything that requests read and change, behind one lock.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) random: Random,
    pub(crate) quotas: Quotas,
    pub(crate) faults: Faults,
    /// By account.
    pub(crate) accounts: BTreeMap<String, Keys>,
    /// By id.
    pub(crate) pools: BTreeMap<String, Pool>,
    /// The service's own keys, which sign the upload URLs.
    pub(crate) upload_keys: Keys,
}

/// A user pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) schema: Schema,
    /// By username.
    pub(crate) users: BTreeMap<String, User>,
    /// The oldest first.
    pub(crate) jobs: Vec<Job>,
}

/// An import job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) created: Moment,
    /// When its upload URL was signed, in real time.
    pub(crate) signed: Timestamp,
    pub(crate) course: Course,
}

/// What moves a job.
#[derive(Debug)]
pub(crate) enum Course {
    Real(Import),
    Scripted(Script),
}

impl World {
    pub(crate) fn new(scenario: Scenario, seed: Option<u64>) -> Self {
        let mut random = Random::new(seed);
        let upload_keys = Keys {
            id: format!("ASIA{}", random.letters(16).to_ascii_uppercase()),
            secret: random.letters(40),
            token: Some(random.letters(600)),
        };
        let mut world = Self {
            clock: Clock::start(&scenario.clock),
            quotas: Quotas::default(),
            faults: Faults::new(&scenario.fault, &random),
            accounts: BTreeMap::new(),
            pools: BTreeMap::new(),
            scenario: Arc::new(scenario),
            random,
            upload_keys,
        };
        let rules = Arc::clone(&world.scenario);
        for rule in &rules.account {
            let mut keys = test_keys(&rule.id.get_ref().0);
            keys.id = rule.access_key_id.clone().unwrap_or(keys.id);
            keys.secret = rule.secret_access_key.clone().unwrap_or(keys.secret);
            keys.token.clone_from(&rule.session_token);
            world.accounts.insert(rule.id.get_ref().0.clone(), keys);
        }
        let first = rules.account.first().map_or(DEFAULT_ACCOUNT, |rule| &rule.id.get_ref().0);
        for rule in &rules.pool {
            world.add_pool_of(rule, first);
        }
        // An account without a pool is of no use to a newcomer.
        if rules.pool.is_empty() {
            world.add_pool_of(&PoolRule::default(), first);
        }
        world
    }

    fn add_pool_of(&mut self, rule: &PoolRule, first_account: &str) {
        let account = rule.account.as_ref().map_or(first_account, |account| &account.0);
        self.accounts.entry(account.to_owned()).or_insert_with(|| test_keys(account));
        let region = rule.region.as_ref().map_or(DEFAULT_REGION, |region| region.get_ref());
        let id = rule.id.as_ref().map_or_else(|| self.new_pool_id(region), |id| id.get_ref().0.clone());
        let user = |name: &String| {
            (name.clone(), User { name: name.clone(), attributes: BTreeMap::new(), status: "CONFIRMED" })
        };
        let mut pool = Pool {
            name: rule.name.clone().unwrap_or_else(|| "simulated".into()),
            account: account.to_owned(),
            schema: Schema {
                auto_verified: rule.auto_verified.clone().unwrap_or_else(|| vec![Contact::Email]),
                mfa: rule.mfa,
                required: rule.required.clone(),
                custom: rule.custom.clone(),
            },
            users: rule.users.iter().map(user).collect(),
            jobs: Vec::new(),
            id: id.clone(),
        };
        for rule in &rule.job {
            self.add_jobs_of(rule, &mut pool);
        }
        // Jobs are listed by age, which need not be the scenario's order.
        pool.jobs.sort_by_key(|job| job.created);
        self.pools.insert(id, pool);
    }

    fn add_jobs_of(&mut self, rule: &JobRule, pool: &mut Pool) {
        let created = -millis(rule.created_ago.0);
        for number in 1..=rule.count.unwrap_or(1) {
            let numbered = |text: &str| match rule.count {
                Some(_) => format!("{text}-{number}"),
                None => text.to_owned(),
            };
            let id = match &rule.id {
                Some(id) => numbered(&id.get_ref().0),
                None => self.new_job_id(),
            };
            pool.jobs.push(Job {
                name: numbered(rule.name.as_deref().unwrap_or("simulated")),
                role: rule
                    .role
                    .clone()
                    .unwrap_or_else(|| format!("arn:aws:iam::{}:role/CognitoUserImport", pool.account)),
                created,
                signed: self.clock.wall() - jiff::SignedDuration::from_millis(-created),
                course: match &rule.script {
                    Some(script) => Course::Scripted(Script::new(script.get_ref())),
                    None => Course::Real(Import::new(created, None)),
                },
                id,
            });
        }
    }

    pub(crate) fn new_pool_id(&mut self, region: &str) -> String {
        format!("{region}_{}", self.random.letters(9))
    }

    pub(crate) fn new_job_id(&mut self) -> String {
        format!("import-{}", self.random.letters(10))
    }

    /// The account whose access key this is.
    pub(crate) fn account_of(&self, key_id: &str) -> Option<(&str, &Keys)> {
        self.accounts.iter().find(|(_, keys)| keys.id == key_id).map(|(account, keys)| (account.as_str(), keys))
    }

    /// Brings all running jobs up to now.
    pub(crate) fn advance(&mut self, now: Moment) {
        for pool in self.pools.values_mut() {
            pool.advance(now, &self.scenario);
        }
    }

    /// How many jobs of an account are active now.
    pub(crate) fn active_jobs(&self, account: &str, now: Moment) -> usize {
        let pools = self.pools.values().filter(|pool| pool.account == account);
        pools.map(|pool| pool.active_jobs(now, &self.scenario)).sum()
    }
}

impl Pool {
    fn advance(&mut self, now: Moment, scenario: &Scenario) {
        for job in &mut self.jobs {
            match &mut job.course {
                Course::Real(import) => import.advance(now, &self.schema, scenario, &mut self.users),
                Course::Scripted(_) => {}
            }
        }
    }

    pub(crate) fn active_jobs(&self, now: Moment, scenario: &Scenario) -> usize {
        let real = self.jobs.iter().filter_map(|job| job.snapshot(now, scenario));
        real.filter(|snapshot| snapshot.status.is_active()).count()
    }

    pub(crate) fn region(&self) -> &str {
        region_of(&self.id)
    }
}

impl Job {
    /// None for a scripted job.
    pub(crate) fn snapshot(&self, at: Moment, scenario: &Scenario) -> Option<Snapshot> {
        match &self.course {
            Course::Real(import) => Some(import.snapshot(at, scenario)),
            Course::Scripted(_) => None,
        }
    }
}

/// The region that a pool's id begins with.
pub(crate) fn region_of(pool_id: &str) -> &str {
    pool_id.rsplit_once('_').map_or("", |(region, _)| region)
}

/// Keys that are the same in every run, so that a profile of the AWS CLI can hold them.
fn test_keys(account: &str) -> Keys {
    Keys { id: format!("AKIASIMU{account}"), secret: format!("simulator-secret-access-key-{account}"), token: None }
}
