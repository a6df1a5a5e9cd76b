//! The service's request quotas: token buckets in real time, per account and region, and per pool and operation.

use std::collections::HashMap;
use std::time::Duration;

use crate::operation::{Category, Operation};
use crate::scenario::QuotaSection;

/// What a bucket belongs to: an account and region, or a pool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Account(String, String, Category),
    Pool(String, &'static str),
}

/// All buckets that were ever drawn from: their tokens, and when those were counted. A bucket holds a second's worth.
#[derive(Debug, Default)]
pub(crate) struct Quotas(HashMap<Owner, (f64, Duration)>);

/// A request as the quotas see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) pool: Option<&'a str>,
}

/// Whether a request is within its quotas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Within,
    Exceeded,
}

impl Quotas {
    /// Takes a token from each bucket of the request, or from none.
    pub(crate) fn draw(
        &mut self,
        rates: &QuotaSection,
        operation: &Operation,
        caller: Caller<'_>,
        now: Duration,
    ) -> Verdict {
        let Operation(name, category, _) = operation;
        let (rate, per_pool) = match category {
            Category::ResourceRead => (&rates.user_pool_resource_read, Some(&rates.per_pool)),
            Category::ResourceUpdate => (&rates.user_pool_resource_update, Some(&rates.per_pool)),
            Category::PoolUpdate => (&rates.user_pool_update, None),
            Category::UserCreation => (&rates.user_creation, None),
            Category::UserList => (&rates.user_list, None),
        };
        let account = Owner::Account(caller.account.into(), caller.region.into(), *category);
        let pool = caller.pool.zip(per_pool).map(|(pool, rate)| (Owner::Pool(pool.into(), name), rate.0));
        let owners: Vec<(Owner, f64)> = [(account, rate.0)].into_iter().chain(pool).collect();
        let mut verdict = Verdict::Within;
        for (owner, rate) in &owners {
            let (tokens, at) = self.0.entry(owner.clone()).or_insert((rate.max(1.0), now));
            *tokens = (*tokens + now.saturating_sub(*at).as_secs_f64() * rate).min(rate.max(1.0));
            *at = now;
            if *tokens < 1.0 {
                verdict = Verdict::Exceeded;
            }
        }
        if verdict == Verdict::Within {
            owners.iter().for_each(|(owner, _)| self.0.entry(owner.clone()).or_default().0 -= 1.0);
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Caller, Quotas, Verdict};
    use crate::operation::Operation;
    use crate::scenario::Scenario;

    fn granted(quotas: &mut Quotas, pools: &[&str], tries: usize, at: Duration) -> usize {
        let (rates, describe) = (Scenario::default().quota, Operation::named("DescribeUserImportJob").unwrap());
        (0..tries)
            .filter(|number| {
                let pool = Some(pools[number % pools.len()]);
                let caller = Caller { account: "123456789012", region: "us-west-2", pool };
                quotas.draw(&rates, describe, caller, at) == Verdict::Within
            })
            .count()
    }

    #[test]
    fn one_pool_gets_five_describes_a_second() {
        let mut quotas = Quotas::default();
        assert_eq!(granted(&mut quotas, &["a"], 30, Duration::ZERO), 5);
        assert_eq!(granted(&mut quotas, &["a"], 30, Duration::from_millis(400)), 2);
        assert_eq!(granted(&mut quotas, &["a"], 30, Duration::from_secs(60)), 5);
    }

    #[test]
    fn an_account_gets_twenty_reads_a_second_over_all_its_pools() {
        let pools: Vec<String> = (0..10).map(|number| format!("pool-{number}")).collect();
        let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
        assert_eq!(granted(&mut Quotas::default(), &pools, 100, Duration::ZERO), 20);
    }
}
