//! What each lane sends next: of all that is due, what may wait least; and whether that is a question about one job or
//! a list that shows many.
//!
//! Called by [`Scheduler::handle`] after every input, for the lanes where something happened.

use super::{Scheduler, TimeLeft};
use crate::domain::Tick;
use crate::schedule::job::{JobSlot, State};
use crate::schedule::lane::Operation;
use crate::schedule::place::{HeldUntil, Item, LaneSlot, Sent};
use crate::schedule::pool::PoolState;
use crate::schedule::reader::{Depth, Finds};
use crate::schedule::turn::{Class, Turn};
use crate::schedule::{Action, Batch, LaneIndex, Now, Question, Request};

/// What a place is to ask.
enum Choice {
    /// About this job alone.
    Describe(usize),
    /// For the next page of its list.
    Page,
    /// Nothing yet: a list is worth waiting for.
    Hold,
}

/// What a lane sends first.
enum First {
    /// This, of this place, now.
    Now(usize, Item),
    /// Nothing before this time; `None` before an answer comes.
    At(Option<Tick>),
}

/// What may be sent next of a place.
struct Head {
    place: usize,
    item: Item,
    turn: Turn,
    /// When it has to be.
    latest: Tick,
    /// When its lane and its pool let it through.
    at: Tick,
}

impl Head {
    fn moves(&self) -> bool {
        self.turn.class == Class::Moving
    }
}

impl Scheduler {
    /// Sends what the lanes let through, and notes when each is to be looked at again.
    pub(super) fn serve_lanes(&mut self, now: Now, actions: &mut Vec<Action>) {
        while let Some((at, lane)) = self.wakes.first().copied().filter(|(at, _)| *at <= now.tick) {
            self.wakes.remove(&(at, lane));
            self.touched.insert(lane);
        }
        for lane in std::mem::take(&mut self.touched) {
            let wake = match self.time {
                TimeLeft::Stopped => None,
                TimeLeft::Until(_) | TimeLeft::Up(_) | TimeLeft::Ended => self.send(lane, now.tick, actions),
            };
            self.touched.remove(&lane);
            let Some(slot) = self.lanes.get_mut(&lane) else { continue };
            actions.extend(slot.lane.change(now.tick, now.wall).map(|change| Action::RateChanged(lane, change)));
            let wake = wake.into_iter().chain(slot.lane.recovers_at(now.tick)).min();
            if let Some(was) = std::mem::replace(&mut slot.wake, wake) {
                self.wakes.remove(&(was, lane));
            }
            self.wakes.extend(wake.map(|wake| (wake, lane)));
        }
    }

    /// Sends what this lane lets through. Says when it is to be looked at again; `None` while it waits for an answer.
    fn send(&mut self, lane: LaneIndex, now: Tick, actions: &mut Vec<Action>) -> Option<Tick> {
        loop {
            let (place, item) = match self.first_of(lane, now) {
                First::Now(place, item) => (place, item),
                First::At(wake) => return wake,
            };
            let question = match self.choose(place, item, now) {
                Choice::Hold => continue,
                Choice::Describe(job) => self.describe(job),
                Choice::Page => self.next_page(place),
            };
            let Some((item, question)) = question else { continue };
            let (operation, bucket) = match (item, self.places.get(place)) {
                (Item::Job(_), Some(place)) => (Operation::Describe, place.bucket),
                (Item::Page(_), Some(place)) => (Operation::List, place.bucket),
                (Item::Job(_) | Item::Page(_), None) => continue,
            };
            let permit = self.lanes.get_mut(&lane)?.lane.take(now, bucket, operation);
            let id = self.next_id;
            self.next_id += 1;
            self.requests += 1;
            self.in_flight.insert(id, Sent { item: Some(item), place, permit });
            actions.push(Action::Send(Request { id, lane, question }));
        }
    }

    /// What may wait least of all that the lane lets through now. Of what may wait as long the longest unasked comes
    /// first, and of pools the one asked longest ago, so that their queues end together.
    fn first_of(&mut self, lane: LaneIndex, now: Tick) -> First {
        self.drop_overtaken(lane, now);
        let Some(slot) = self.lanes.get(&lane) else { return First::At(None) };
        let heads: Vec<Head> = slot.busy.iter().flat_map(|place| self.heads(slot, *place, now)).collect();
        // Nothing that moves goes before what does not and is late, where its pool lets that through sooner than the
        // lane would be free again.
        let busy = now.plus(slot.lane.keeps_busy(now, None));
        let late = heads.iter().filter(|head| !head.moves() && head.latest <= now && head.at < busy);
        let late = late.min_by_key(|head| head.latest);
        let at = |head: &Head| match late.filter(|late| late.latest < head.latest) {
            Some(late) if head.moves() => head.at.max(late.at),
            None if head.moves() => head.at,
            Some(_) | None => self.gives_way(slot, head).unwrap_or(head.at),
        };
        let bucket = |head: &Head| self.places.get(head.place).map(|place| slot.lane.pool_ready_at(place.bucket));
        let (mut best, mut wake): (Option<(_, &Head)>, Option<Tick>) = (None, None);
        for head in &heads {
            let at = at(head);
            wake = Some(wake.map_or(at, |wake| wake.min(at)));
            let order = (head.latest, head.turn.asked, bucket(head));
            if at <= now && best.as_ref().is_none_or(|(best, _)| order < *best) {
                best = Some((order, head));
            }
        }
        best.map_or(First::At(wake), |(_, head)| First::Now(head.place, head.item))
    }

    /// The first of each kind that waits at a place, but what waits for an answer.
    fn heads(&self, slot: &LaneSlot, index: usize, now: Tick) -> impl Iterator<Item = Head> {
        let place = self.places.get(index);
        let standing = self.standing(index);
        let page = place.and_then(|place| Some((Item::Page(index), place.page?)));
        let jobs = Class::ALL.into_iter().filter_map(move |class| place?.first(class));
        let jobs = jobs.filter_map(|job| Some((Item::Job(job), self.jobs.get(job)?.turn()?)));
        page.into_iter().chain(jobs).filter_map(move |(item, turn)| {
            let place = place?;
            let at = match item {
                Item::Job(_) => {
                    let at = slot.lane.ready_at(now, place.bucket, Operation::Describe)?;
                    at.max(place.held.ready_at(turn.class, now)?)
                }
                Item::Page(_) => slot.lane.ready_at(now, place.bucket, Operation::List)?,
            };
            Some(Head { place: index, item, turn, latest: turn.latest(now, standing.as_ref()?), at })
        })
    }

    /// Until when something that does not move is kept back, so that the lane, or the pool, is free when a job that moves
    /// is due.
    fn gives_way(&self, slot: &LaneSlot, head: &Head) -> Option<Tick> {
        let bucket = self.places.get(head.place)?.bucket;
        let (lane, pool) = (slot.lane.keeps_busy(head.at, None), slot.lane.keeps_busy(head.at, Some(bucket)));
        let coming = slot.coming.range((head.at, 0)..(head.at.plus(lane.max(pool)), 0));
        let mut due = coming.filter_map(|(due, index)| {
            let job = self.jobs.get(*index).filter(|job| job.state == State::Waiting(*due))?;
            let free = head.at.plus(if job.place() == head.place { pool } else { lane });
            let latest = Turn::of_moving(job.asked, *due).latest(*due, &self.standing(job.place())?);
            (*due < free && latest < head.latest).then_some(*due)
        });
        due.next()
    }

    /// Drops the places of a lane where nothing waits any more.
    fn drop_overtaken(&mut self, lane: LaneIndex, now: Tick) {
        let Some(slot) = self.lanes.get_mut(&lane) else { return };
        while slot.coming.first().is_some_and(|(due, _)| *due <= now) {
            slot.coming.pop_first();
        }
        let (places, jobs) = (&mut self.places, &self.jobs);
        slot.busy.retain(|index| places.get_mut(*index).is_some_and(|place| place.drop_overtaken(*index, jobs)));
    }

    /// Whether to ask about a job alone, or for a list that shows it with others.
    fn choose(&mut self, place: usize, item: Item, now: Tick) -> Choice {
        let Item::Job(job) = item else { return Choice::Page };
        let Some(depth) = self.list_is_worth(place, job, now) else { return Choice::Describe(job) };
        let Some(turn) = self.jobs.get(job).and_then(JobSlot::turn) else { return Choice::Describe(job) };
        let Some(slot) = self.places.get_mut(place) else { return Choice::Describe(job) };
        match slot.reader.class() {
            None => {}
            // The list may show it too late.
            Some(Class::Sleeping | Class::New) if turn.class == Class::Moving => return Choice::Describe(job),
            Some(Class::Moving | Class::Sleeping | Class::New) => {
                slot.held.hold(turn.class, HeldUntil::TheEnd);
                return Choice::Hold;
            }
        }
        let list = self.lanes.get(&slot.lane).and_then(|lane| lane.lane.ready_at(now, slot.bucket, Operation::List));
        match list {
            Some(at) if at <= now => {
                self.begin_reading(place, turn, now, depth, self.finding(place, now));
                Choice::Page
            }
            Some(at) => {
                slot.held.hold(turn.class, HeldUntil::At(at));
                Choice::Hold
            }
            None => Choice::Describe(job),
        }
    }

    /// How far to read the place's list where that is better than asking about `head` alone; `None` where none is.
    fn list_is_worth(&mut self, place: usize, head: usize, now: Tick) -> Option<Depth> {
        let finding = self.finding(place, now);
        let slot = self.places.get_mut(place)?;
        if self.settings.batch == Batch::Never || slot.reader.rests(now) {
            return None;
        }
        let jobs = &self.jobs;
        slot.part(jobs);
        if slot.jobs.len() < 2 && finding == Finds::Nothing {
            return None;
        }
        let listable = slot.jobs.iter().filter_map(|job| jobs.get(*job)).filter(|job| job.is_listable());
        let head = jobs.get(head).filter(|head| head.is_listable())?;
        slot.reader.worth(head, listable, finding, now)
    }

    /// Whether a list that is read now finds new jobs too.
    fn finding(&self, place: usize, now: Tick) -> Finds {
        let pool = self.places.get(place).and_then(|place| place.watched).and_then(|pool| self.pools.get(pool));
        if pool.is_some_and(|pool| pool.is_soon(now)) { Finds::Jobs } else { Finds::Nothing }
    }

    /// Begins to read the list of a place, so far for the sake of its jobs.
    pub(super) fn begin_reading(&mut self, place: usize, turn: Turn, now: Tick, depth: Depth, finds: Finds) {
        let Some(slot) = self.places.get_mut(place) else { return };
        let pool = slot.watched.and_then(|pool| self.pools.get_mut(pool));
        let depth = match (finds, pool) {
            (Finds::Nothing, _) | (Finds::Jobs, None) => depth,
            (Finds::Jobs, Some(pool)) => {
                pool.state = PoolState::Reading;
                Depth { pages: depth.pages.max(pool.pages_to_read()), ..depth }
            }
        };
        let turn = turn.of_pages(depth.pages);
        slot.reader.begin(turn, depth.pages, finds);
        if self.settings.batch == Batch::Auto && !slot.reader.rests(now) {
            for index in &slot.jobs {
                let Some(job) = self.jobs.get_mut(*index).filter(|job| job.is_listable()) else { continue };
                if slot.reader.page_of(job.seat).is_none_or(|page| page >= depth.pages) {
                    continue;
                }
                if job.counted == Some(Class::Moving) && turn.class != Class::Moving {
                    continue;
                }
                match job.state {
                    State::Ready(due) => job.state = State::Expected(due),
                    State::Waiting(at) if job.waited(now).is_some_and(|waited| waited >= depth.enough) => {
                        job.state = State::Expected(at);
                    }
                    State::Waiting(_) | State::Expected(_) | State::InFlight | State::Over(_) | State::Gone => {}
                }
            }
        }
        self.queue_page(place, turn);
    }

    fn describe(&mut self, job: usize) -> Option<(Item, Question)> {
        let slot = self.jobs.get_mut(job)?;
        slot.state = State::InFlight;
        slot.polls = slot.polls.saturating_add(1);
        let place = self.places.get(slot.place())?;
        Some((Item::Job(job), Question::Describe(slot.target(&place.pool))))
    }

    fn next_page(&mut self, place: usize) -> Option<(Item, Question)> {
        let slot = self.places.get_mut(place)?;
        slot.page = None;
        if let Some(pool) = slot.watched.and_then(|pool| self.pools.get_mut(pool))
            && pool.state == PoolState::Reading
        {
            pool.state = PoolState::InFlight;
        }
        let token = slot.reader.token().map(str::to_owned);
        Some((Item::Page(place), Question::List { pool: slot.pool.clone(), token }))
    }

    /// Has the next page wait for the lane: a reading that has begun is finished before others begin.
    pub(super) fn read_on(&mut self, place: usize) {
        if let Some(turn) = self.places.get(place).and_then(|place| place.reader.turn()) {
            self.queue_page(place, turn);
        }
    }
}
