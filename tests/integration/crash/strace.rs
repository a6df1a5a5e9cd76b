//! The daemon under strace, which fails its system calls or writes them down. As a grandchild: the daemon stays our own
//! child, with the number that is killed.

use std::path::Path;

use crate::harness::Program;

/// Fails or delays system calls as `inject` says; what it did is in `trace`.
pub(super) fn injecting(program: Program, trace: &Path, inject: &str) -> Program {
    let calls = inject.split(':').next().unwrap();
    let arguments = [&format!("trace={calls}"), "-e", &format!("inject={inject}")].map(str::to_owned);
    under_strace(program, trace, &arguments)
}

/// Writes down all that is done to the files of `directory`, and what is written to stdout.
pub(super) fn recording(program: Program, trace: &Path) -> Program {
    let calls = "trace=openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,\
                 fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat,copy_file_range";
    under_strace(program, trace, &[calls, "-y", "-xx", "-s", "100000000"].map(str::to_owned))
}

fn under_strace(program: Program, trace: &Path, arguments: &[String]) -> Program {
    let trace = trace.to_str().expect("a plain path");
    let always = ["-D", "-f", "-qq", "--seccomp-bpf", "-e", "signal=none", "-o", trace, "-e"];
    program.under("strace", always.into_iter().chain(arguments.iter().map(String::as_str)))
}
