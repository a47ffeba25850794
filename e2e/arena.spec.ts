import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { expect, type Page, test } from 'playwright/test'
import type { report } from '../src/arena/report'
import { serveTiny } from './page-driver'

// Software rendering, WASM and whatever else the machine does share its cores: few page loads, and patience.
test.describe.configure({ timeout: 300_000 })

const ONE = 'fixture-worlds/tiny/'
const OTHER = 'other-worlds/tiny/'

const TINY = new URL('./fixtures/tiny/', import.meta.url)
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

/** The tiny world as another student: a doc_string at the end of its graph makes other bytes, and the same numbers. */
async function otherStudent(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const file of await readdir(TINY)) files.set(file, await readFile(new URL(file, TINY)))
  const docString = Buffer.from('\x32\x05other', 'latin1')
  const student = Buffer.concat([files.get('student.onnx')!, docString])
  const manifest = JSON.parse(`${files.get('world.json')}`)
  Object.assign(manifest.files.student, { bytes: student.length, sha256: sha256(student) })
  manifest.modelHash = sha256(manifest.files.student.sha256 + manifest.files.decoder.sha256)
  return files.set('student.onnx', student).set('world.json', Buffer.from(JSON.stringify(manifest)))
}

async function serveTwo(page: Page): Promise<void> {
  await serveTiny(page)
  const files = await otherStudent()
  await page.route(`**/${OTHER}*`, async (route) => {
    const body = files.get(new URL(route.request().url()).pathname.split('/').at(-1)!)
    if (body) await route.fulfill({ body, contentType: 'application/octet-stream' })
    else await route.fulfill({ status: 404, body: 'not here' })
  })
}

async function openArena(page: Page, query: Record<string, string>): Promise<void> {
  await page.setViewportSize({ width: 900, height: 640 })
  await page.goto(`/arena/?${new URLSearchParams({ backend: 'wasm', seed: '7', seconds: '0.5', ...query })}`)
}

const round = (page: Page, number: number) =>
  expect(page.locator(`#app[data-round="${number}"][data-seen="true"]`)).toBeVisible({ timeout: 180_000 })

const chosen = (page: Page, question: string, verdict: string) =>
  page.locator(`[data-question="${question}"] [data-verdict="${verdict}"]`)

const keptVotes = (page: Page) =>
  page.evaluate(() => JSON.parse(localStorage.getItem('oneiro-arena') ?? '{"votes":[]}').votes)

test('two rounds by keys and by mouse, kept, added up and exported', async ({ page }) => {
  await serveTwo(page)
  await openArena(page, { a: ONE, b: OTHER })
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)

  await test.step('both drives play, and no vote counts before they were seen', async () => {
    await expect(page.locator('#app[data-arena="showing"]')).toBeVisible({ timeout: 180_000 })
    await expect(page.locator('.pane-picture canvas')).toHaveCount(4)
    await round(page, 1)
    await expect(page.locator('.arena-prompt')).not.toBeEmpty()
  })
  await test.step('arrow keys answer one question after the other, and Backspace takes back', async () => {
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowLeft')
    await expect(chosen(page, 'quality', 'left')).toHaveAttribute('aria-checked', 'true')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Backspace')
    await expect(chosen(page, 'following', 'right')).toHaveAttribute('aria-checked', 'false')
    await page.keyboard.press('ArrowDown')
    await expect(chosen(page, 'following', 'neither')).toHaveAttribute('aria-checked', 'true')
    expect(await keptVotes(page)).toEqual([])
    await page.keyboard.press('Enter')
  })
  await test.step('the second round by mouse', async () => {
    await round(page, 2)
    await chosen(page, 'quality', 'right').click()
    await chosen(page, 'following', 'left').click()
    await page.getByRole('button', { name: 'Next round' }).click()
    await expect(page.locator('#app[data-round="3"]')).toBeVisible()
  })
  await test.step('votes say what was seen, and nothing but the sides was shuffled', async () => {
    const votes = await keptVotes(page)
    expect(votes).toMatchObject([
      { session: 7, round: 1, quality: 'left', following: 'neither', ticks: 10 },
      { session: 7, round: 2, quality: 'right', following: 'left', ticks: 10 },
    ])
    for (const { left, right } of votes) {
      expect([left.name, right.name].sort()).toEqual(['fixture-worlds/tiny', 'other-worlds/tiny'])
      expect(left.modelHash).not.toBe(right.modelHash)
    }
  })
  await test.step('the results, and the export', async () => {
    await round(page, 3)
    await page.keyboard.press('t')
    const sheet = page.getByRole('dialog', { name: 'Results' })
    await expect(sheet).toContainText('of 2 decided votes, 95 % interval (Wilson)')
    await expect(sheet).toContainText('1 of 2 undecided.')
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export as JSON' }).click(),
    ])
    expect(file.suggestedFilename()).toBe('arena-fixture-worlds-tiny-other-worlds-tiny.json')
    const exported = JSON.parse(`${await readFile(await file.path())}`) as ReturnType<typeof report>
    expect(exported).toMatchObject({
      format: 'oneiro-arena',
      results: { quality: { votes: 2, undecided: 0 } },
    })
    expect(exported.votes).toEqual(await keptVotes(page))
    await page.keyboard.press('Escape')
    await expect(page.locator('.results-row')).toHaveCount(0)
  })
})

test('one click in the menu of the page puts the teacher’s single step beside the student', async ({
  page,
}) => {
  await serveTiny(page)
  await page.setViewportSize({ width: 720, height: 450 })
  await page.goto('/?assets=fixture-worlds/tiny/&backend=wasm&clock=lockstep&stage=flat')
  await page.getByRole('button', { name: 'Keep and share' }).click({ timeout: 120_000 })
  await page.getByRole('menuitem', { name: /^Vote: .* [34][.][0-9] MB more$/ }).click()
  await expect(page).toHaveURL(/[/]arena[/][?]a=assets[/]drive[/]&b=assets[/]drive[/]teacher[.]json/)
  await openArena(page, { a: 'assets/drive/', b: 'assets/drive/teacher.json' })
  await round(page, 1)
  await chosen(page, 'quality', 'left').click()
  await chosen(page, 'following', 'neither').click()
  await page.getByRole('button', { name: 'Next round' }).click()
  const [vote] = await keptVotes(page)
  expect([vote.left.name, vote.right.name].sort()).toEqual(['drive', 'teacher.json'])
})

test('says what to give where a student is missing, cannot be had, or is the same', async ({ page }) => {
  await serveTiny(page)
  const trouble = page.locator('.setup-trouble')
  await test.step('missing', async () => {
    await openArena(page, {})
    await expect(page.getByText('?a=FOLDER&b=FOLDER')).toBeVisible({ timeout: 60_000 })
    await expect(page.locator('input[name="a"]')).toHaveValue('assets/drive/')
    await expect(trouble).toBeEmpty()
  })
  await test.step('not there', async () => {
    await openArena(page, { a: ONE, b: 'no-such-world' })
    await expect(trouble).toHaveAttribute('data-code', 'ASSET_MISSING', { timeout: 120_000 })
    await expect(trouble).toContainText('world.json')
  })
  await test.step('the same twice, by the form', async () => {
    await page.locator('input[name="b"]').fill(ONE)
    await page.getByRole('button', { name: 'Begin' }).click()
    await expect(trouble).toContainText('Two different students were expected', { timeout: 120_000 })
  })
})
