"""Reads the candidates of a range with ElastAlert 2, as BenchmarkBackfill does with esrule, and prints the seconds.

    python -m venv VENV && VENV/bin/pip install elastalert2 pytz
    BENCH_ELASTALERT=VENV/bin/python make bench

ElastAlert runs one rule of its own kind over the range: the same pre-filter as its filter, so the same documents, and a rule type
that looks for the same folder in each path, as the simplest part of esrule's matcher. It raises its alerts into its log.
pytz is a module that its package needs and does not ask for. The test distribution of Elasticsearch answers GET / with 405, so
the version that ElastAlert would ask for is set by hand.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time

import yaml
from elastalert import ElasticSearchClient
from elastalert.elastalert import ElastAlerter
from elastalert.ruletypes import RuleType
from elastalert.util import lookup_es_key, ts_to_dt

sys.setrecursionlimit(20000)  # it reads page within page
logging.disable(logging.CRITICAL)
ElasticSearchClient.es_version = property(lambda self: "8.19.13")


class WatchedFolder(RuleType):
    """A match is a document whose file.path lies in the folder that is watched."""

    required_options = frozenset(["folder"])
    seen = 0
    found = 0

    def add_data(self, data):
        for document in data:
            WatchedFolder.seen += 1
            path = lookup_es_key(document, "file.path")
            if path and self.rules["folder"] in path.lower():
                WatchedFolder.found += 1
                self.add_match(document)


def main():
    parser = argparse.ArgumentParser()
    for name in ("host", "port", "index", "start", "end", "query"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rule = {
            "name": "watched folder", "type": "__main__.WatchedFolder", "index": args.index, "filter": [json.loads(args.query)],
            "folder": "\\frontend\\httpproxy\\owa\\auth\\", "alert": ["debug"], "realert": {"minutes": 0},
            "timestamp_field": "@timestamp", "buffer_time": {"days": 30},
        }
        config = {
            "es_host": args.host, "es_port": int(args.port), "rules_folder": folder, "run_every": {"minutes": 1},
            "buffer_time": {"days": 30}, "writeback_index": args.index + "-elastalert", "alert_time_limit": {"days": 2},
        }
        for name, content in (("rule.yaml", rule), ("config.yml", config)):
            with open(os.path.join(folder, name), "w") as file:
                yaml.safe_dump(content, file)
        elastalert = ElastAlerter(["--config", os.path.join(folder, "config.yml"), "--rule", os.path.join(folder, "rule.yaml"),
                                   "--start", args.start, "--end", args.end])
        loaded = elastalert.rules[0]
        loaded["starttime"] = ts_to_dt(args.start)
        began = time.monotonic()
        elastalert.run_rule(loaded, ts_to_dt(args.end), ts_to_dt(args.start))
        print(json.dumps({"seconds": time.monotonic() - began, "documents": WatchedFolder.seen, "matches": WatchedFolder.found}))


if __name__ == "__main__":
    main()
