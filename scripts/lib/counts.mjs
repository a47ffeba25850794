// How many tests passed and failed, from what the runners report to machines.
import { existsSync, readFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number }} Counts */

/** @param {string} json Vitest's json reporter. @returns {Counts} */
export function vitestCounts(json) {
  const report = JSON.parse(json)
  return { passed: report.numPassedTests, failed: report.numFailedTests }
}

/** @param {string} json Playwright's json reporter. @returns {Counts} */
export function playwrightCounts(json) {
  const { stats } = JSON.parse(json)
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected }
}

/** @param {string} xml pytest's --junitxml, the one machine format it has. @returns {Counts} */
export function pytestCounts(xml) {
  const number = (name) => Number(xml.match(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`))?.[1] ?? 0)
  const failed = number('failures') + number('errors')
  return { passed: number('tests') - failed - number('skipped'), failed }
}

/**
 * A stage's counts: those of its report, and at least one failure where the runner failed, whatever it counted.
 *
 * @param {number} status
 * @param {string} path
 * @param {(text: string) => Counts} parse
 * @returns {Counts}
 */
export function countReport(status, path, parse) {
  let counts = { passed: 0, failed: 0 }
  let readable = existsSync(path)
  try {
    if (readable) counts = parse(readFileSync(path, 'utf8'))
  } catch {
    readable = false
  }
  const broken = status !== 0 || !readable
  return broken && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}
