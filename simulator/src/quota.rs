//! The service's request quotas: token buckets in real time, per account and region, and per pool and operation.

use std::collections::HashMap;
use std::time::Duration;

use crate::operation::{Category, Operation};
use crate::scenario::QuotaSection;

/// All buckets that were ever drawn from, by owner: their tokens, and when those were counted. A bucket holds a second's
/// worth.
#[derive(Debug, Default)]
pub(crate) struct Quotas(HashMap<String, (f64, Duration)>);

impl Quotas {
    /// Takes a token from each bucket of a request, or from none and says no.
    pub(crate) fn draw(
        &mut self,
        rates: &QuotaSection,
        operation: &Operation,
        account_and_region: &str,
        pool: Option<&str>,
        now: Duration,
    ) -> bool {
        let Operation(name, category, _) = operation;
        let (rate, per_pool) = match category {
            Category::ResourceRead => (&rates.user_pool_resource_read, Some(&rates.per_pool)),
            Category::ResourceUpdate => (&rates.user_pool_resource_update, Some(&rates.per_pool)),
            Category::PoolUpdate => (&rates.user_pool_update, None),
            Category::UserCreation => (&rates.user_creation, None),
            Category::UserList => (&rates.user_list, None),
        };
        let pool = pool.zip(per_pool).map(|(pool, rate)| (format!("{pool} {name}"), rate.0));
        let owners = [(format!("{account_and_region} {category:?}"), rate.0)].into_iter().chain(pool);
        let owners: Vec<String> = owners.map(|(owner, rate)| self.refill(owner, rate, now)).collect();
        let granted = owners.iter().all(|owner| self.0.get(owner).is_some_and(|(tokens, _)| *tokens >= 1.0));
        owners.into_iter().filter(|_| granted).for_each(|owner| self.0.entry(owner).or_default().0 -= 1.0);
        granted
    }

    fn refill(&mut self, owner: String, rate: f64, now: Duration) -> String {
        let (tokens, at) = self.0.entry(owner.clone()).or_insert((rate.max(1.0), now));
        *tokens = (*tokens + now.saturating_sub(*at).as_secs_f64() * rate).min(rate.max(1.0));
        *at = now;
        owner
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Quotas;
    use crate::operation::Operation;
    use crate::scenario::Scenario;

    fn granted(quotas: &mut Quotas, pools: &[&str], tries: usize, at: Duration) -> usize {
        let (rates, describe) = (Scenario::default().quota, Operation::named("DescribeUserImportJob").unwrap());
        (0..tries)
            .filter(|number| {
                let pool = Some(pools[number % pools.len()]);
                quotas.draw(&rates, describe, "123456789012 us-west-2", pool, at)
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
