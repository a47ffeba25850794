import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean)
const folders = new Set(
  files.flatMap((file) => file.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))),
)
const names = new Set(files.map((file) => file.split('/').at(-1)))
/** The log tells of what was. */
const documents = files.filter((file) => /\.md$/.test(file) && !/LOG\.md$|results\//.test(file))

describe('documents', () => {
  test.each(documents)('%s names code that there is, and links to what there is', (document) => {
    const text = readFileSync(join(root, document), 'utf8')
    const named = [...text.matchAll(/`([\w./-]+\.(?:test\.ts|spec\.ts|ts|py|mjs|yaml))`/g)].map(
      ([, name]) => name,
    )
    expect(named.filter((name) => !names.has(name.split('/').at(-1)))).toEqual([])
    const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, to]) =>
      normalize(join(dirname(document), to)),
    )
    expect(links.filter((to) => !folders.has(to.replace(/\/$/, '')))).toEqual([])
  })
})
