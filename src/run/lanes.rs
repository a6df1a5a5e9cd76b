//! The accounts and regions of a plan: who asks for a job, and whose quota that uses.
//!
//! Each `[[account]]` asks with its own credentials at its own endpoint. The quota is that of the AWS account behind
//! it, so that two which turn out to be the same one share a lane: by the role's ARN at once, else as soon as the
//! credentials or an answer tell the account. Used by [`engine`](super::engine).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cognito_import_watch_core::domain::{AccountId, Target, UserPoolId};
use cognito_import_watch_core::schedule::LaneIndex;

use crate::config::{AccountPlan, AccountRef, CredentialsPlan, Plan};
use crate::exit::{CommandError, Exit};
use crate::http::metrics::LaneMeters;
use crate::source::{Credentials, Environment, JobSource, Routes, SourceError, SourceSettings, Sources};

/// Where a process may take credentials from.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    /// From where the plan says.
    Planned,
    /// These, one for each account of the plan; nothing of the environment is read.
    Given(Vec<Credentials>),
}

/// An account and region.
#[derive(Clone, Debug)]
pub(super) struct LaneName {
    /// The region.
    pub(super) region: String,
    /// What is counted of its requests; every clone counts together.
    pub(super) meters: Arc<LaneMeters>,
    sources: Vec<Arc<dyn JobSource>>,
    seen: Option<AccountId>,
}

impl LaneName {
    /// The account, as far as it is known by now: from the role or the credentials, else from what a job showed.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.sources.iter().find_map(|source| source.account()).or_else(|| self.seen.clone())
    }

    /// Learns the account from an answer.
    pub(super) fn learn(&mut self, account: Option<&AccountId>) {
        if self.seen.is_none() {
            self.seen = account.cloned();
        }
        if self.meters.account().is_none()
            && let Some(account) = self.account()
        {
            self.meters.learn(account);
        }
    }
}

/// The accounts and regions of a plan, each with its source, made when it is first needed.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    keys: Keys,
    sources: Sources,
    askers: Vec<Asker>,
    names: Vec<LaneName>,
    /// Who asks for what, of lanes that several askers share.
    routes: HashMap<LaneIndex, Routes>,
}

/// An account of the plan in a region.
#[derive(Clone, Debug)]
struct Asker {
    account: AccountPlan,
    region: String,
    request_timeout: Duration,
    source: Arc<dyn JobSource>,
    lane: LaneIndex,
}

impl Lanes {
    pub(super) fn new(keys: &Keys) -> Result<Self, CommandError> {
        let environment = match keys {
            Keys::Planned => Environment::Ambient,
            Keys::Given(_) => Environment::Isolated,
        };
        let sources = Sources::new(environment).map_err(|error| unusable(&error))?;
        Ok(Self { keys: keys.clone(), sources, askers: Vec::new(), names: Vec::new(), routes: HashMap::new() })
    }

    /// The names of the lanes, as the scheduler numbers them.
    pub(super) fn names(&self) -> Vec<LaneName> {
        self.names.clone()
    }

    /// The source of an account in a region.
    pub(super) async fn source(
        &mut self,
        plan: &Plan,
        account: AccountRef,
        region: &str,
    ) -> Result<Arc<dyn JobSource>, CommandError> {
        let planned = plan.account(account);
        let settings = SourceSettings {
            account_name: planned.and_then(|account| account.name.clone()),
            credentials: self.credentials(plan, account),
            region: region.to_owned(),
            sts_region: planned.and_then(|account| account.region.clone()),
            endpoint_url: planned.and_then(|account| account.endpoint_url.clone()),
            request_timeout: plan.poll.request_timeout,
        };
        self.sources.open(&settings).await.map_err(|error| unusable(&error))
    }

    /// Forgets who asks for what; the plan is about to be gone through.
    pub(super) fn begin(&mut self) {
        self.routes.clear();
    }

    /// The lane of a pool that is watched as a whole.
    pub(super) async fn of_pool(
        &mut self,
        plan: &Plan,
        account: AccountRef,
        pool: &UserPoolId,
    ) -> Result<LaneIndex, CommandError> {
        let (lane, source) = self.of(plan, account, pool.region()).await?;
        self.routes.entry(lane).or_default().add_pool(pool, &source);
        Ok(lane)
    }

    /// The lane of a job.
    pub(super) async fn of_job(
        &mut self,
        plan: &Plan,
        account: AccountRef,
        target: &Target,
    ) -> Result<LaneIndex, CommandError> {
        let (lane, source) = self.of(plan, account, target.pool.region()).await?;
        self.routes.entry(lane).or_default().add_job(target, &source);
        Ok(lane)
    }

    /// The lanes that are asked.
    pub(super) fn in_use(&self) -> Vec<LaneIndex> {
        self.routes.keys().copied().collect()
    }

    /// Whom to ask, by lane.
    pub(super) fn sources(&self) -> Vec<Arc<dyn JobSource>> {
        let source = |(index, name): (usize, &LaneName)| -> Arc<dyn JobSource> {
            match (name.sources.as_slice(), self.routes.get(&LaneIndex(index))) {
                ([only], _) => Arc::clone(only),
                (_, routes) => Arc::new(routes.cloned().unwrap_or_default()),
            }
        };
        self.names.iter().enumerate().map(source).collect()
    }

    pub(super) fn account(&self, lane: LaneIndex) -> Option<AccountId> {
        self.names.get(lane.0).and_then(LaneName::account)
    }

    /// Whether some of the lanes may turn out to be one: those of a region whose account is not known.
    pub(super) fn may_join(&self) -> bool {
        let open = |name: &&LaneName| !name.sources.is_empty();
        self.names
            .iter()
            .filter(open)
            .filter(|name| name.account().is_none())
            .any(|name| self.names.iter().filter(open).filter(|other| other.region == name.region).count() > 1)
    }

    /// Learns what answers showed of the lanes' accounts; whether some of them are one.
    pub(super) fn learn(&mut self, seen: &[Option<AccountId>]) -> bool {
        for (name, seen) in self.names.iter_mut().zip(seen) {
            name.learn(seen.as_ref());
        }
        let mut joined = false;
        for index in 0..self.names.len() {
            let Some(name) = self.names.get(index).filter(|name| !name.sources.is_empty()) else { continue };
            let Some(first) = name.account().and_then(|account| self.find(&account, &name.region)) else { continue };
            if first.0 < index {
                self.join(index, first);
                joined = true;
            }
        }
        joined
    }

    /// The first lane of an account and region.
    fn find(&self, account: &AccountId, region: &str) -> Option<LaneIndex> {
        let same = |name: &LaneName| name.region == region && name.account().as_ref() == Some(account);
        self.names.iter().position(same).map(LaneIndex)
    }

    /// Has whoever asks in one lane ask in another.
    fn join(&mut self, from: usize, into: LaneIndex) {
        for asker in self.askers.iter_mut().filter(|asker| asker.lane.0 == from) {
            asker.lane = into;
        }
        let moved = self.names.get_mut(from).map(|name| std::mem::take(&mut name.sources));
        if let Some(name) = self.names.get_mut(into.0) {
            name.sources.extend(moved.into_iter().flatten());
        }
    }

    /// The lane of an account in a region, and its source. One that is known keeps its number.
    async fn of(
        &mut self,
        plan: &Plan,
        account: AccountRef,
        region: &str,
    ) -> Result<(LaneIndex, Arc<dyn JobSource>), CommandError> {
        let planned = plan.account(account).cloned().unwrap_or_default();
        let same = |asker: &Asker| asker.account == planned && asker.region == region;
        let known = self.askers.iter().position(same).and_then(|index| Some((index, self.askers.get(index)?)));
        if let Some((_, asker)) = known.filter(|(_, asker)| asker.request_timeout == plan.poll.request_timeout) {
            return Ok((asker.lane, Arc::clone(&asker.source)));
        }
        let known = known.map(|(index, _)| index);
        let source = self.source(plan, account, region).await?;
        let request_timeout = plan.poll.request_timeout;
        if let Some(asker) = known.and_then(|index| self.askers.get_mut(index)) {
            let was = std::mem::replace(&mut asker.source, Arc::clone(&source));
            asker.request_timeout = request_timeout;
            let lane = asker.lane;
            let sources = self.names.get_mut(lane.0).into_iter().flat_map(|name| &mut name.sources);
            sources.filter(|known| Arc::ptr_eq(known, &was)).for_each(|known| *known = Arc::clone(&source));
            return Ok((lane, source));
        }
        let shared = source.account().and_then(|account| self.find(&account, region));
        let lane = shared.unwrap_or_else(|| {
            let meters = Arc::new(LaneMeters::new(region));
            self.names.push(LaneName { region: region.to_owned(), meters, sources: Vec::new(), seen: None });
            LaneIndex(self.names.len() - 1)
        });
        if let Some(name) = self.names.get_mut(lane.0) {
            name.sources.push(Arc::clone(&source));
            name.learn(None);
        }
        let region = region.to_owned();
        self.askers.push(Asker { account: planned, region, request_timeout, source: Arc::clone(&source), lane });
        Ok((lane, source))
    }

    fn credentials(&self, plan: &Plan, account: AccountRef) -> Credentials {
        if let Keys::Given(given) = &self.keys
            && let Some(credentials) = given.get(account.index())
        {
            return credentials.clone();
        }
        match plan.account(account).map(|account| &account.credentials) {
            None | Some(CredentialsPlan::Default) => Credentials::Default,
            Some(CredentialsPlan::Profile(name)) => Credentials::Profile(name.clone()),
            Some(CredentialsPlan::Role { arn, external_id, session_name, source_profile }) => Credentials::Role {
                arn: arn.clone(),
                external_id: external_id.clone(),
                session_name: session_name.clone(),
                base_profile: source_profile.clone(),
            },
        }
    }
}

pub(super) fn unusable(error: &SourceError) -> CommandError {
    CommandError::new(Exit::Usage, error.to_string())
}

#[cfg(test)]
mod tests;
