//! What exists: accounts with their keys, pools with their users, and jobs; made from the scenario, changed by requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, Moment, millis, shift, wall_time};
use crate::csv::{Schema, User};
use crate::fault::{self, Fault};
use crate::import::{Import, Snapshot};
use crate::quota::Quotas;
use crate::random::Random;
use crate::scenario::{AccountRule, Contact, JobRule, PoolRule, Scenario};
use crate::script::Script;
use crate::sts::Session;
use crate::{AccountInfo, PoolInfo};

const DEFAULT_ACCOUNT: &str = "123456789012";
const DEFAULT_REGION: &str = "us-east-1";

/// Everything that requests read and change, behind one lock.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) random: Random,
    pub(crate) quotas: Quotas,
    pub(crate) faults: Vec<Fault>,
    /// By account.
    pub(crate) accounts: BTreeMap<String, AccountInfo>,
    /// The keys of assumed roles, by access key.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// By id.
    pub(crate) pools: BTreeMap<String, Pool>,
    /// The service's own keys, which sign the upload URLs.
    pub(crate) upload_keys: AccountInfo,
}

/// A user pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) info: PoolInfo,
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
        let faults = fault::arm(&scenario.fault, &random);
        let upload_keys = AccountInfo {
            id: String::new(),
            access_key_id: format!("ASIA{}", random.letters(16).to_ascii_uppercase()),
            secret_access_key: random.letters(40),
            session_token: Some(random.letters(600)),
        };
        let (clock, scenario) = (Clock::start(&scenario.clock), Arc::new(scenario));
        let (accounts, sessions, pools, quotas) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), Quotas::default());
        let rules = Arc::clone(&scenario);
        let mut world = Self { clock, scenario, random, quotas, faults, accounts, sessions, pools, upload_keys };
        for AccountRule { id, access_key_id, secret_access_key, session_token } in
            rules.account.iter().map(|rule| rule.get_ref().clone())
        {
            let account = world.account(&id.0);
            account.access_key_id = access_key_id.unwrap_or(account.access_key_id.clone());
            account.secret_access_key = secret_access_key.unwrap_or(account.secret_access_key.clone());
            account.session_token = session_token;
        }
        let first = rules.account.first().map_or(DEFAULT_ACCOUNT, |rule| &rule.get_ref().id.0);
        rules.pool.iter().for_each(|rule| world.add_pool(rule.get_ref(), first));
        // An account without a pool is of no use to a newcomer.
        if rules.pool.is_empty() {
            world.add_pool(&PoolRule::default(), first);
        }
        world
    }

    /// The account of this id, made where it is new. Its keys are the same in every run, so that a profile of the AWS CLI
    /// can hold them.
    fn account(&mut self, id: &str) -> &mut AccountInfo {
        self.accounts.entry(id.to_owned()).or_insert_with(|| AccountInfo {
            id: id.to_owned(),
            access_key_id: format!("AKIASIMU{id}"),
            secret_access_key: format!("simulator-secret-access-key-{id}"),
            session_token: None,
        })
    }

    fn add_pool(&mut self, rule: &PoolRule, first_account: &str) {
        let account = rule.account.as_ref().map_or(first_account, |account| &account.0).to_owned();
        self.account(&account);
        let region = rule.region.as_deref().unwrap_or(DEFAULT_REGION);
        let id = rule.id.as_ref().map_or_else(|| self.new_pool_id(region), |id| id.0.clone());
        let user = |name: &String| User { name: name.clone(), attributes: Vec::new(), status: "CONFIRMED" };
        let schema = Schema {
            auto_verified: rule.auto_verified.clone().unwrap_or_else(|| vec![Contact::Email]),
            mfa: rule.mfa,
            required: rule.required.clone(),
            custom: rule.custom.clone(),
        };
        let mut jobs: Vec<Job> = rule.job.iter().flat_map(|job| self.jobs_of(job.get_ref(), &account)).collect();
        // Jobs are listed by age, which need not be the scenario's order.
        jobs.sort_by_key(|job| job.created);
        let users = rule.users.iter().map(|name| (name.clone(), user(name))).collect();
        let name = rule.name.clone().unwrap_or_else(|| "simulated".into());
        let region = region_of(&id).to_owned();
        self.pools.insert(id.clone(), Pool { info: PoolInfo { id, region, account, name }, schema, users, jobs });
    }

    fn jobs_of(&mut self, rule: &JobRule, account: &str) -> Vec<Job> {
        let ago = rule.created_ago.as_ref().map_or(0, |ago| millis(ago.0));
        let role = rule.role.clone().unwrap_or_else(|| format!("arn:aws:iam::{account}:role/CognitoUserImport"));
        let job = |number: u32| {
            let numbered = |text: &str| rule.count.map_or(text.to_owned(), |_| format!("{text}-{number}"));
            Job {
                id: rule.id.as_ref().map_or_else(|| self.new_job_id(), |id| numbered(&id.0)),
                name: numbered(rule.name.as_deref().unwrap_or("simulated")),
                role: role.clone(),
                created: -ago,
                signed: shift(wall_time(), SignedDuration::from_millis(-ago)),
                course: match &rule.script {
                    Some(script) => Course::Scripted(Script::new(script)),
                    None => Course::Real(Import::default()),
                },
            }
        };
        (1..=rule.count.unwrap_or(1)).map(job).collect()
    }

    pub(crate) fn new_pool_id(&mut self, region: &str) -> String {
        format!("{region}_{}", self.random.letters(9))
    }

    pub(crate) fn new_job_id(&mut self) -> String {
        format!("import-{}", self.random.letters(10))
    }

    /// Whose access key this is: an account's, or that of an assumed role with its end.
    pub(crate) fn keys(&self, access_key_id: &str) -> Option<(&AccountInfo, Option<Timestamp>)> {
        let own = self.accounts.values().find(|account| account.access_key_id == access_key_id);
        let session = || self.sessions.get(access_key_id).map(|session| (&session.keys, Some(session.ends)));
        own.map(|account| (account, None)).or_else(session)
    }

    /// Brings all running jobs up to now.
    pub(crate) fn advance(&mut self, now: Moment) {
        for Pool { jobs, schema, users, .. } in self.pools.values_mut() {
            for job in jobs {
                if let Course::Real(import) = &mut job.course {
                    import.advance(now, schema, &self.scenario, users);
                }
            }
        }
    }
}

impl Pool {
    /// How many of its jobs are active.
    pub(crate) fn active_jobs(&self, now: Moment, scenario: &Scenario) -> usize {
        let snapshots = self.jobs.iter().filter_map(|job| job.snapshot(now, scenario));
        snapshots.filter(|snapshot| snapshot.status.is_active()).count()
    }
}

impl Job {
    /// None for a scripted job.
    pub(crate) fn snapshot(&self, at: Moment, scenario: &Scenario) -> Option<Snapshot> {
        match &self.course {
            Course::Real(import) => Some(import.snapshot(self.created, at, scenario)),
            Course::Scripted(_) => None,
        }
    }
}

/// The region that a pool's id begins with.
pub(crate) fn region_of(pool_id: &str) -> &str {
    pool_id.rsplit_once('_').map_or("", |(region, _)| region)
}
