// A Vitest reporter that counts, and says why a test was skipped: `context.skip("reason")` in the test, or
// `(skipped: reason)` in its title.
// Writes {passed, failed, skipped, notices: [{reason, count}]} as JSON to the file named by INGEST_TEST_SUMMARY.
import { writeFileSync } from "node:fs";

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: 0, notices: [] };
    const reasons = new Map();
    for (const module of modules) {
      // A module or a suite can fail by itself: an import that throws, a beforeAll.
      if (module.state() === "failed" && module.errors().length > 0) summary.failed += 1;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) summary.failed += 1;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === "passed") summary.passed += 1;
        else if (state === "skipped") {
          summary.skipped += 1;
          const where = `${module.relativeModuleId}: ${test.fullName}`;
          const reason = note ?? (where.includes("skipped: ") ? where : `${where} (no reason given)`);
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        } else summary.failed += 1; // failed, or never finished
      }
    }
    summary.notices = [...reasons].map(([reason, count]) => ({ reason, count }));
    writeFileSync(process.env.INGEST_TEST_SUMMARY, JSON.stringify(summary));
  }
}
