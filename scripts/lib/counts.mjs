// How many tests passed, failed and were skipped, from what the runners report to machines.
import { existsSync, readFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Counts `skipped`: the suite of each skipped test. */

/** @param {string} json Vitest's json reporter. @returns {Counts} */
export function vitestCounts(json) {
  const report = JSON.parse(json)
  const all = (report.testResults ?? []).flatMap((file) => file.assertionResults)
  const skipped = all
    .filter(({ status }) => ['pending', 'skipped', 'todo'].includes(status))
    .map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title)
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped }
}

/** @param {string} json Playwright's json reporter. @returns {Counts} */
export function playwrightCounts(json) {
  const { stats, suites = [] } = JSON.parse(json)
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: suites.flatMap(skippedIn),
  }
}

function skippedIn({ title, suites = [], specs = [] }) {
  const own = specs.flatMap(({ tests }) =>
    tests.filter(({ status }) => status === 'skipped').map(() => title),
  )
  return [...own, ...suites.flatMap(skippedIn)]
}

/** @param {string} xml pytest's --junitxml, the one machine format it has. @returns {Counts} */
export function pytestCounts(xml) {
  const number = (name) => Number(xml.match(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`))?.[1] ?? 0)
  const failed = number('failures') + number('errors')
  const skipped = [...xml.matchAll(/<testcase [^>]*?classname="([^"]*)"[^>]*><skipped/g)].map(
    ([, name]) => name,
  )
  return { passed: number('tests') - failed - number('skipped'), failed, skipped }
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
  let counts = { passed: 0, failed: 0, skipped: [] }
  let readable = existsSync(path)
  try {
    if (readable) counts = parse(readFileSync(path, 'utf8'))
  } catch {
    readable = false
  }
  const broken = status !== 0 || !readable
  return broken && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/**
 * What ends the last line where tests were skipped: how many, and of which suites.
 *
 * @param {readonly string[]} skipped
 */
export function skippedSentence(skipped) {
  if (skipped.length === 0) return ''
  const counts = new Map()
  for (const name of skipped) counts.set(name, (counts.get(name) ?? 0) + 1)
  const named = [...counts].map(([name, count]) => `${name}: ${count}`)
  return `, ${skipped.length} SKIPPED (${named.join('; ')})`
}
