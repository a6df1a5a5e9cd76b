//! What a running daemon cannot change when its config is read again.
//! Called on reload; everything else of a plan is swapped by the scheduler, which keeps what stays.

use super::plan::Plan;

/// The tables whose settings differ between two plans and are in force after a restart only.
#[must_use]
pub fn needs_restart(old: &Plan, new: &Plan) -> Vec<&'static str> {
    let mut keys = Vec::new();
    if old.state != new.state {
        keys.push("state");
    }
    if old.http != new.http {
        keys.push("http");
    }
    if old.log.format != new.log.format {
        keys.push("log.format");
    }
    if old.log.level != new.log.level {
        keys.push("log.level");
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LogFormat, StatePath};

    #[test]
    fn only_what_is_in_force_after_a_restart_is_named() {
        let old = Plan::default();
        let mut new = Plan::default();
        new.poll.request_timeout /= 2;
        new.log.progress_interval /= 2;
        assert_eq!(needs_restart(&old, &new), [""; 0]);
        new.state.path = StatePath::None;
        new.http.listen = Some(([127, 0, 0, 1], 9464).into());
        new.log.format = LogFormat::Json;
        assert_eq!(needs_restart(&old, &new), ["state", "http", "log.format"]);
    }
}
