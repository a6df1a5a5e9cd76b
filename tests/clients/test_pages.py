"""Lists that are longer than a page, by boto3."""

import unittest

from clients import SimulatorTest
from shapes import Inspector

SCENARIO = """
[quota]
user_pool_resource_read = 1000
per_pool = 1000

[[pool]]
id = "us-west-2_LONG"
name = "long"

[[pool.job]]
id = "import-old"
name = "old"
count = 130
created_ago = "1h"
script = [{ status = "Succeeded", imported = 1 }]

[[pool.job]]
id = "import-new"
name = "new"
created_ago = "1m"

[[pool]]
id = "us-west-2_EMPTY"
name = "empty"
"""


class Pages(SimulatorTest):
    """A pool with 131 jobs."""

    scenario = SCENARIO

    def listed(self, page_size, pool="long", **settings):
        """The job ids by page, read as the API's page says: until there is no token."""
        client = self.simulator.boto(**settings)
        inspector, pages, token = Inspector(client), [], {}
        while True:
            answer = client.list_user_import_jobs(
                UserPoolId=self.simulator.pools[pool], MaxResults=page_size, **token
            )
            pages.append([job["JobId"] for job in answer["UserImportJobs"]])
            if "PaginationToken" not in answer:
                self.assertEqual(inspector.problems, [])
                return pages
            token = {"PaginationToken": answer["PaginationToken"]}

    def test_every_job_is_on_one_page_and_the_newest_comes_first(self):
        for page_size in (1, 7, 50, 60):
            pages = self.listed(page_size)
            ids = [job for page in pages for job in page]
            self.assertEqual(ids[0], "import-new")
            self.assertEqual(sorted(ids[1:]), sorted(f"import-old-{number}" for number in range(1, 131)))
            self.assertTrue(all(len(page) == page_size for page in pages[:-1]), page_size)

    def test_a_pool_without_jobs_is_one_empty_page(self):
        self.assertEqual(self.listed(60, "empty"), [[]])

    def test_our_own_list_shows_every_job(self):
        shown = self.simulator.watch("list", self.simulator.pools["long"], "--output", "json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(shown.stdout.count('"import-'), 131)


class ShortPages(Pages):
    """The service may put fewer jobs on a page than were asked for, and a token on the last page."""

    scenario = "[list]\ncap = 50\ntrailing_token = true\n" + SCENARIO

    def test_every_job_is_on_one_page_and_the_newest_comes_first(self):
        pages = self.listed(60)
        self.assertEqual([len(page) for page in pages], [50, 50, 31])
        self.assertEqual(len({job for page in pages for job in page}), 131)


if __name__ == "__main__":
    unittest.main()
