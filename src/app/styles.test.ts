import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const FILES = [
  ...readdirSync('src/app/styles').map((name) => `src/app/styles/${name}`),
  'src/arena/arena.css',
]

// The minifier merges the two and drops one: what is centred in development would not be so in the build.
it.each(FILES)('%s moves nothing by both translate, rotate or scale and transform in one rule', (file) => {
  const rules = readFileSync(file, 'utf8').match(/[^{}]+\{[^{}]*\}/g) ?? []
  const both = rules.filter(
    (rule) => /[{;\s]transform:/.test(rule) && /[{;\s](translate|rotate|scale):/.test(rule),
  )
  expect(both).toEqual([])
})
