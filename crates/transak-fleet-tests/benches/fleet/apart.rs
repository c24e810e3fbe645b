//! Who runs on which core.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use transak_fleet_tests::Engine;

/// Keeps this thread on one core and the engine on another one for as long as it lives, where there are two.
pub(crate) struct Apart {
    process: Pid,
    all: CpuSet,
}

impl Apart {
    pub(crate) fn from(engine: &Engine) -> Option<Self> {
        let all = sched_getaffinity(None).unwrap();
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let (ours, theirs) = (cores.next()?, cores.next()?);
        let only = |core| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        let process = process_of(engine);
        sched_setaffinity(Some(process), &only(theirs)).unwrap();
        sched_setaffinity(None, &only(ours)).unwrap();
        Some(Self { process, all })
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = sched_setaffinity(Some(self.process), &self.all);
        let _ = sched_setaffinity(None, &self.all);
    }
}

/// The process that answers, or whose children do.
fn process_of(engine: &Engine) -> Pid {
    let told = match engine {
        Engine::Redis(server) => server.command("INFO server"),
        Engine::Postgres(server) => {
            server.command("SELECT 'process_id:' || split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")
        }
    };
    let id = told.lines().find_map(|line| line.strip_prefix("process_id:"));
    Pid::from_raw(id.unwrap().trim().parse().unwrap()).unwrap()
}
