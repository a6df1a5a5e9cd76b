//! `answer`: libFuzzer's bytes go to the function that the library has for it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cognito_import_watch_fuzz::answer::fuzz(data));
