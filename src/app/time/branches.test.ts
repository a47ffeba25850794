import { afterEach, expect, it, vi } from 'vitest'
import type { Branch } from '../../engine/timeline'
import { createAppStore, type RunState } from '../store'
import { type FakeElement, fake, stubPage } from '../ui/testing'
import { createBranches } from './branches'

vi.mock('./branches.css', () => ({}))
afterEach(() => vi.unstubAllGlobals())

const branch = (id: number) => ({ id, from: 20, to: 100, frame: null }) as Branch
const RUN = {} as RunState

function setup() {
  stubPage()
  const store = createAppStore({ nominalRate: 20 })
  const returnTo = vi.fn()
  const row = fake(createBranches(store, returnTo)) as FakeElement & { hidden: boolean }
  return { store, returnTo, row }
}

it('a future that was left is a button, which goes back there', () => {
  const { store, returnTo, row } = setup()
  expect(row.hidden).toBe(true)
  store.setState({ branches: [branch(1), branch(2)] })
  const [first] = row.children
  store.setState({ branches: [branch(1)] })
  expect([row.hidden, row.children]).toEqual([false, [first]])
  expect(first!.title).toBe('Return to the future left at tick 20, which went on for 4 s')
  first!.onclick!({ detail: 0 } as MouseEvent)
  expect(returnTo).toHaveBeenCalledWith(branch(1))
})

it('there is none to return to during a run, or of two worlds', () => {
  const { store, row } = setup()
  store.setState({ branches: [branch(1)], run: RUN })
  expect(row.hidden).toBe(true)
  store.setState({ run: null })
  expect(row.hidden).toBe(false)
  store.setState({ shown: 'both' })
  expect(row.hidden).toBe(true)
})
