import type { Reporter, TestModule, TestResult } from 'vitest/node'

/** The last line of a run, for people and programs that count: `N passed, N failed, N skipped`. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count: Record<TestResult['state'], number> = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules)
      for (const test of module.children.allTests()) count[test.result().state] += 1
    // A file that does not load, or a hook that throws, fails without any of its tests having run.
    const broken = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0).length
    const failed = count.failed + broken + unhandled.length
    process.stdout.write(
      `\n${count.passed} passed, ${failed} failed, ${count.skipped + count.pending} skipped\n`,
    )
  }
}
