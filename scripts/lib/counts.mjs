// How many tests passed, failed and were skipped, from what the runners report to machines.
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root } from './run.mjs'

/**
 * `skipped`: how many of each file. `unsteady`: the names of those that passed only when they were tried again; they count as
 * failed.
 *
 * @typedef {{ passed: number, failed: number, skipped: Record<string, number>, unsteady: string[] }} Counts
 */

/** @returns {Counts} */
export const none = () => ({ passed: 0, failed: 0, skipped: {}, unsteady: [] })

function skip(counts, file) {
  counts.skipped[file] = (counts.skipped[file] ?? 0) + 1
}

/** @param {string} json Vitest's json reporter. @returns {Counts} */
export function vitestCounts(json) {
  const report = JSON.parse(json)
  const counts = { ...none(), passed: report.numPassedTests, failed: report.numFailedTests }
  for (const { name, assertionResults } of report.testResults ?? []) {
    for (const { status } of assertionResults) {
      if (status === 'skipped' || status === 'pending' || status === 'todo')
        skip(counts, relative(root, name))
    }
  }
  return counts
}

/** @param {string} json Playwright's json reporter. @returns {Counts} */
export function playwrightCounts(json) {
  const { stats, suites = [] } = JSON.parse(json)
  const counts = { ...none(), passed: stats.expected, failed: stats.unexpected + stats.flaky }
  const walk = ({ file, suites = [], specs = [] }) => {
    for (const inner of suites) walk(inner)
    for (const { title, tests } of specs) {
      for (const { status } of tests) {
        if (status === 'skipped') skip(counts, `e2e/${file}`)
        if (status === 'flaky') counts.unsteady.push(`e2e/${file}: ${title}`)
      }
    }
  }
  for (const suite of suites) walk(suite)
  return counts
}

/** @param {string} xml pytest's --junitxml, the one machine format it has. @returns {Counts} */
export function pytestCounts(xml) {
  const number = (name) => Number(xml.match(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`))?.[1] ?? 0)
  const failed = number('failures') + number('errors')
  const counts = { ...none(), passed: number('tests') - failed - number('skipped'), failed }
  for (const [test] of xml.matchAll(/<testcase [^>]*?(?:\/>|>.*?<\/testcase>)/gs)) {
    // A file that is skipped as a whole has no class name, and its own is that of the test.
    const name = test.match(/\bclassname="([^"]+)"/)?.[1] ?? test.match(/\bname="([^"]+)"/)?.[1] ?? 'pytest'
    if (test.includes('<skipped')) skip(counts, `${name.replaceAll('.', '/')}.py`)
  }
  return counts
}

/**
 * Counts of another stage on top of those of the stages before.
 *
 * @param {Counts} total
 * @param {Counts} counts
 */
export function add(total, { passed, failed, skipped, unsteady }) {
  total.passed += passed
  total.failed += failed
  total.unsteady.push(...unsteady)
  for (const [file, count] of Object.entries(skipped)) {
    total.skipped[file] = (total.skipped[file] ?? 0) + count
  }
}

/** With what the whole ends: what tested nothing has not passed. @param {Counts} total */
export const statusOf = ({ passed, failed }) => (failed > 0 || passed === 0 ? 1 : 0)

/**
 * All in a line, what was skipped by file: `900 passed, 0 failed, 7 skipped (5 of server/cluster.test.ts, 2 of ...)`.
 *
 * @param {Counts} counts
 */
export function lastLine({ passed, failed, skipped }) {
  const files = Object.entries(skipped)
  const count = files.reduce((sum, [, number]) => sum + number, 0)
  const named = files.map(([file, number]) => `${number} of ${file}`).join(', ')
  return `${passed} passed, ${failed} failed${count ? `, ${count} skipped (${named})` : ''}`
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
  let counts = none()
  let readable = existsSync(path)
  try {
    if (readable) counts = parse(readFileSync(path, 'utf8'))
  } catch {
    readable = false
  }
  const broken = status !== 0 || !readable
  return broken && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}
