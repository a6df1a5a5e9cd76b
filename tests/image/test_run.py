"""The daemon in a container that may do nothing: where its config comes from, how it ends, what it remembers."""

import json
import os
import re
from pathlib import Path

from stage import BINARY, CONFIG, POOL, STATE, ImageCase, Running, podman, readme_commands, readme_output, wait_for

CONFIGS = "/etc/cognito-import-watch"
FILE = f"{CONFIGS}/cognito-import-watch.toml"
# What an orchestrator gives at least, Docker's ten seconds, with room.
SECONDS_TO_END = 5


def status_of(pid):
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


class Daemon(ImageCase):
    """`run`, confined."""

    def seen(self, container):
        """Waits until all jobs were seen, and one of them over."""
        for job in ("moving", "done", "failed"):
            container.wait(event="job.first_seen", job_id=f"import-{job}")
        container.wait(event="job.completed", job_id="import-done", verdict="succeeded")
        return container

    def test_the_config_may_be_text_in_the_environment(self):
        container = self.start(environment={"COGNITO_IMPORT_WATCH_CONFIG_TOML": CONFIG})
        code, seconds = self.seen(container).terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, SECONDS_TO_END)
        self.assertEqual(container.lines[0]["event"], "daemon.started")
        self.assertEqual(container.lines[0]["state"], "none")
        self.assertEqual(container.lines[-1]["event"], "daemon.stopped")
        print(f"first line {container.first_line_after:.2f} s after `podman run`, end {seconds:.2f} s after SIGTERM")

    def test_the_config_may_be_a_file(self):
        mount = ["--volume", f"{self.file('watch.toml', CONFIG)}:{FILE}:ro"]
        container = self.start(["run", "--config", FILE], mount)
        self.assertEqual(self.seen(container).terminate()[0], 0)
        variable = self.start([], mount, {"COGNITO_IMPORT_WATCH_CONFIG": FILE})
        self.assertEqual(self.seen(variable).terminate()[0], 0)

    def test_a_new_file_is_read_on_sighup(self):
        configs = self.directory / "configs"
        configs.mkdir()
        configs.chmod(0o755)
        file = self.file("configs/watch.toml", CONFIG)
        container = self.start(["run", "--config", f"{CONFIGS}/watch.toml"], ["--volume", f"{configs}:{CONFIGS}:ro"])
        self.seen(container)
        file.write_text(CONFIG + f'[[pool]]\nid = "{POOL}2"\n')
        podman("kill", "--signal", "HUP", container.name)
        self.assertEqual(container.wait(event="daemon.reloaded")["pools"], 2)
        self.assertEqual(container.terminate()[0], 0)

    def test_without_a_config_it_says_so_and_ends(self):
        code, _, errors = self.run_to_end()
        self.assertEqual(code, 2)
        self.assertIn("nothing to watch", errors)

    def test_its_first_process_is_an_unprivileged_one_on_a_file_system_that_cannot_be_written(self):
        container = self.start(environment={"COGNITO_IMPORT_WATCH_CONFIG_TOML": CONFIG})
        pid = self.seen(container).pid()
        status = status_of(pid)
        self.assertEqual(status["NSpid"].split()[-1], "1")
        self.assertEqual(set(status["Uid"].split() + status["Gid"].split()), {"65532"})
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[capabilities], 16), 0, capabilities)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")
        mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
        root = next(fields for fields in mounts if fields[4] == "/")
        self.assertIn("ro", root[5].split(","))
        self.assertEqual(podman("exec", container.name, "/bin/sh", "-c", "true", check=False).returncode, 127)
        print(f"memory of the container's process: VmRSS {status['VmRSS']}, most {status['VmHWM']}")
        self.assertEqual(container.terminate()[0], 0)

    def test_what_it_knows_survives_on_a_volume(self):
        mount = ["--volume", f"{self.volume()}:{STATE}"]
        config = {"COGNITO_IMPORT_WATCH_CONFIG_TOML": CONFIG, "STATE_DIRECTORY": STATE}
        first = self.seen(self.start([], mount, config))
        self.assertEqual(first.terminate()[0], 0)
        self.assertEqual(first.lines[0]["state"], f"{STATE}/state.db")
        answered = self.answers()
        second = self.start([], mount, config)
        wait_for("polls of the second container", lambda: self.answers() >= answered + 3)
        self.assertEqual(second.terminate()[0], 0)
        self.assertEqual(second.all(event="job.first_seen"), [], "told a second time")
        code, history, errors = self.run_to_end(["history", "--state", f"{STATE}/state.db", "--output", "json"], mount)
        self.assertEqual(code, 0, errors)
        told = [line["event_id"] for line in first.lines if line.get("event", "").startswith("job.")]
        self.assertEqual([json.loads(line)["event_id"] for line in history.splitlines()], told)

    def test_the_codes_of_a_job_come_through(self):
        for job, expected in (("done", 0), ("failed", 10)):
            code, out, errors = self.run_to_end(["wait", f"{POOL}/import-{job}", "--output", "json"])
            self.assertEqual(code, expected, errors)
            self.assertEqual(json.loads(out)["exit_code"], expected)

    def test_it_costs_little_over_the_program_alone(self):
        variables = os.environ | self.keys | {"COGNITO_IMPORT_WATCH_CONFIG_TOML": CONFIG}
        alone = Running([BINARY, "run"], variables)
        self.addCleanup(alone.discard)
        alone.wait(event="job.completed", job_id="import-done")
        status = status_of(alone.process.pid)
        print(f"without a container: first line after {alone.first_line_after:.3f} s, VmRSS {status['VmRSS']}")
        alone.process.terminate()
        self.assertEqual(alone.end(), 0)


class Readme(ImageCase):
    """The transcript as it stands."""

    def test_the_last_command_tells_jobs_as_json(self):
        commands = readme_commands()
        self.assertLessEqual(len(commands), 5)
        # The README's reader has AWS; here its address is the engine's own setting, and no word of the command changes.
        settings = Path(os.environ["CONTAINERS_CONF"]).read_text()
        way = ", ".join(f'"{key}={self.keys[key]}"' for key in ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED"))
        settings = settings.replace("[containers]", f"[containers]\nenv = [{way}]")
        file = self.file("containers.conf", settings)
        variables = os.environ | self.keys | {"CONTAINERS_CONF": str(file)}
        name = re.search(r"--name (\S+)", commands[-1])[1]
        container = Running(["bash", "-c", f"exec {commands[-1]}"], variables, name)
        self.addCleanup(container.discard)
        seen = container.wait(event="job.first_seen", job_id="import-moving")
        self.assertEqual(seen["user_pool_id"], POOL)
        # What the README shows of the first line, but for its time.
        _, shown = readme_output().rstrip("…").split(',"level"')
        _, first = json.dumps(container.lines[0], separators=(",", ":")).split(',"level"')
        self.assertTrue(first.startswith(shown), first)
        code, seconds = container.terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, SECONDS_TO_END)
