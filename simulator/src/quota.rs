//! The service's request quotas: token buckets in real time, per account and region, and per pool and operation.

use std::collections::HashMap;
use std::time::Duration;

use crate::operation::Operation;
use crate::scenario::QuotaSection;

/// AWS's categories of operations, each with a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    ResourceRead,
    ResourceUpdate,
    PoolUpdate,
    UserCreation,
    UserList,
}

/// What a bucket belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Account(String, String, Category),
    Pool(String, Operation),
}

/// A second's worth of requests, refilled evenly.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn refill(&mut self, now: Duration, rate: f64) {
        self.tokens = (self.tokens + now.saturating_sub(self.at).as_secs_f64() * rate).min(rate.max(1.0));
        self.at = now;
    }
}

/// All buckets that were ever drawn from.
#[derive(Debug, Default)]
pub(crate) struct Quotas(HashMap<Owner, Bucket>);

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
        operation: Operation,
        caller: Caller<'_>,
        now: Duration,
    ) -> Verdict {
        let category = operation.category();
        let (rate, per_pool) = match category {
            Category::ResourceRead => (rates.user_pool_resource_read, Some(rates.per_pool)),
            Category::ResourceUpdate => (rates.user_pool_resource_update, Some(rates.per_pool)),
            Category::PoolUpdate => (rates.user_pool_update, None),
            Category::UserCreation => (rates.user_creation, None),
            Category::UserList => (rates.user_list, None),
        };
        let mut owners = vec![(Owner::Account(caller.account.into(), caller.region.into(), category), rate)];
        if let (Some(pool), Some(rate)) = (caller.pool, per_pool) {
            owners.push((Owner::Pool(pool.into(), operation), rate));
        }
        let mut verdict = Verdict::Within;
        for (owner, rate) in &owners {
            let bucket = self.0.entry(owner.clone()).or_insert(Bucket { tokens: rate.max(1.0), at: now });
            bucket.refill(now, *rate);
            if bucket.tokens < 1.0 {
                verdict = Verdict::Exceeded;
            }
        }
        if verdict == Verdict::Within {
            for (owner, _) in &owners {
                if let Some(bucket) = self.0.get_mut(owner) {
                    bucket.tokens -= 1.0;
                }
            }
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
        let rates = Scenario::default().quota;
        (0..tries)
            .filter(|number| {
                let pool = Some(pools[number % pools.len()]);
                let caller = Caller { account: "123456789012", region: "us-west-2", pool };
                quotas.draw(&rates, Operation::DescribeUserImportJob, caller, at) == Verdict::Within
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
