//! What each lane sends next: of all that is due, what may wait least; and whether that is a question about one job or
//! a list that shows many.
//!
//! Called by [`Scheduler::handle`] after every input, for the lanes where something happened.

use super::{Scheduler, TimeLeft};
use crate::domain::Tick;
use crate::schedule::job::{JobSlot, State};
use crate::schedule::lane::Operation;
use crate::schedule::place::{HeldUntil, Item, LaneSlot, Place, Sent};
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

/// What may be sent next of a place.
struct Head {
    item: Item,
    turn: Turn,
    /// When it has to be.
    latest: Tick,
}

impl Scheduler {
    /// Sends what the lanes let through, and notes when each is to be looked at again.
    pub(super) fn serve_lanes(&mut self, now: Now, actions: &mut Vec<Action>) {
        while let Some((at, lane)) = self.wakes.first().copied().filter(|(at, _)| *at <= now.tick) {
            self.wakes.remove(&(at, lane));
            self.touched.insert(lane);
        }
        for lane in std::mem::take(&mut self.touched) {
            if self.time != TimeLeft::Stopped {
                self.send(lane, now.tick, actions);
            }
            self.touched.remove(&lane);
            let wake = self.wake_of(lane, now.tick);
            let Some(slot) = self.lanes.get_mut(&lane) else { continue };
            actions.extend(slot.lane.change(now.tick, now.wall).map(|change| Action::RateChanged(lane, change)));
            let wake = wake.into_iter().chain(slot.lane.recovers_at(now.tick)).min();
            if let Some(was) = std::mem::replace(&mut slot.wake, wake) {
                self.wakes.remove(&(was, lane));
            }
            self.wakes.extend(wake.map(|wake| (wake, lane)));
        }
    }

    fn send(&mut self, lane: LaneIndex, now: Tick, actions: &mut Vec<Action>) {
        while let Some((place, item)) = self.first_of(lane, now) {
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
            let Some(slot) = self.lanes.get_mut(&lane) else { return };
            let permit = slot.lane.take(now, bucket, operation);
            let id = self.next_id;
            self.next_id += 1;
            self.requests += 1;
            self.in_flight.insert(id, Sent { item: Some(item), place, permit });
            actions.push(Action::Send(Request { id, lane, question }));
        }
    }

    /// What may wait least of all that the lane lets through now. Of pools where that is the same time the one asked
    /// longest ago comes first, so that their queues end together.
    fn first_of(&mut self, lane: LaneIndex, now: Tick) -> Option<(usize, Item)> {
        self.drop_overtaken(lane, now);
        let slot = self.lanes.get(&lane)?;
        let late = self.late(slot, now);
        let mut best: Option<((Tick, Tick, Tick), usize, Item)> = None;
        for index in &slot.busy {
            let Some(place) = self.places.get(*index) else { continue };
            for head in self.heads(*index, now) {
                let order = (head.latest, head.turn.asked, slot.lane.pool_ready_at(place.bucket));
                let is_first = best.is_none_or(|(best, ..)| order < best);
                if is_first && self.ready_at(slot, place, &head, late, now).is_some_and(|at| at <= now) {
                    best = Some((order, *index, head.item));
                }
            }
        }
        best.map(|(_, place, item)| (place, item))
    }

    /// When the lane is to be looked at again; `None` while it waits for an answer.
    fn wake_of(&mut self, lane: LaneIndex, now: Tick) -> Option<Tick> {
        self.drop_overtaken(lane, now);
        let slot = self.lanes.get(&lane)?;
        let late = self.late(slot, now);
        let ready = slot.busy.iter().filter_map(|index| {
            let place = self.places.get(*index)?;
            self.heads(*index, now).filter_map(|head| self.ready_at(slot, place, &head, late, now)).min()
        });
        ready.min()
    }

    /// The first of each kind that waits at a place.
    fn heads(&self, index: usize, now: Tick) -> impl Iterator<Item = Head> {
        let place = self.places.get(index);
        let page = place.and_then(|place| Some((place.page?, Item::Page(index))));
        let jobs = Class::ALL.into_iter().filter_map(move |class| place?.first(class));
        let jobs = jobs.filter_map(|job| Some((self.jobs.get(job)?.turn()?, Item::Job(job))));
        let head = move |(turn, item): (Turn, Item)| Some(Head { item, turn, latest: self.latest(index, turn, now)? });
        page.into_iter().chain(jobs).filter_map(head)
    }

    /// When it may be sent; `None` while an answer is waited for.
    fn ready_at(
        &self,
        slot: &LaneSlot,
        place: &Place,
        head: &Head,
        late: Option<(Tick, Tick)>,
        now: Tick,
    ) -> Option<Tick> {
        let at = Self::let_through_at(slot, place, head, now)?;
        let at = late.filter(|(latest, _)| *latest < head.latest).map_or(at, |(_, free)| at.max(free));
        match head.turn.class {
            Class::Moving => Some(at),
            Class::Sleeping | Class::New => Some(self.gives_way(slot, place, head.latest, at).unwrap_or(at)),
        }
    }

    /// When its lane and its pool let it through; `None` while an answer is waited for.
    fn let_through_at(slot: &LaneSlot, place: &Place, head: &Head, now: Tick) -> Option<Tick> {
        match head.item {
            Item::Job(_) => {
                let at = slot.lane.ready_at(now, place.bucket, Operation::Describe)?;
                Some(at.max(place.held.ready_at(head.turn.class, now)?))
            }
            Item::Page(_) => slot.lane.ready_at(now, place.bucket, Operation::List),
        }
    }

    /// The latest time of what does not move and is late, and when its pool lets it through, where that is sooner than
    /// the lane would be free again: nobody goes before it then.
    fn late(&self, slot: &LaneSlot, now: Tick) -> Option<(Tick, Tick)> {
        let busy = now.plus(slot.lane.keeps_busy(now, None));
        let late = slot.busy.iter().filter_map(|index| {
            let place = self.places.get(*index)?;
            let late = self.heads(*index, now).filter(|head| head.latest <= now && head.turn.class != Class::Moving);
            let free = |head: Head| Some((head.latest, Self::let_through_at(slot, place, &head, now)?));
            late.filter_map(free).filter(|(_, free)| *free < busy).min()
        });
        late.min()
    }

    /// Until when a question about a job that does not move, ready at `at`, is kept back, so that the lane, or the
    /// pool, is free when one that moves is due.
    fn gives_way(&self, slot: &LaneSlot, place: &Place, latest: Tick, at: Tick) -> Option<Tick> {
        let (lane, pool) = (slot.lane.keeps_busy(at, None), slot.lane.keeps_busy(at, Some(place.bucket)));
        let coming = slot.coming.range((at, 0)..(at.plus(lane.max(pool)), 0));
        let mut due = coming.filter_map(|(due, index)| {
            let job = self.jobs.get(*index).filter(|job| job.state == State::Waiting(*due))?;
            let is_same = self.places.get(job.place).is_some_and(|other| other.bucket == place.bucket);
            let free = at.plus(if is_same { pool } else { lane });
            (*due < free && self.latest(job.place, Turn::of_moving(job.asked, *due), *due)? < latest).then_some(*due)
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
        slot.jobs.retain(|job| jobs.get(*job).is_some_and(|job| job.counted.is_some()));
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
        slot.polls += 1;
        Some((Item::Job(job), Question::Describe(slot.watched.target.clone())))
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
