import os

if os.environ.get("CALLREADY_EVERY_REPORT"):
    from tests import every_report
    every_report.listen(os.environ["CALLREADY_EVERY_REPORT"])
