import { describe, expect, it } from 'vitest'
import { createAppStore } from '../store'
import { Waking } from './waking'

function setup() {
  const store = createAppStore({ past: { from: 0, to: 500 } })
  const driver = { wellBefore: null as number | null, rested: 0, rest: () => void driver.rested++ }
  const back: number[] = []
  let arrive: () => void = () => {}
  const rewind = {
    rewind(ticks: number) {
      back.push(ticks)
      return new Promise<void>((resolve) => {
        arrive = resolve
      })
    },
  }
  const waking = new Waking(store, driver, rewind)
  const breakAt = async (tick: number, wellBefore: number) => {
    driver.wellBefore = wellBefore
    const woken = waking.hear(tick)
    arrive()
    await woken
    driver.wellBefore = null
  }
  return { store, driver, back, waking, breakAt }
}

describe('Waking', () => {
  it('does nothing while all is well', async () => {
    const { store, waking, back } = setup()
    await waking.hear(100)
    expect(back).toEqual([])
    expect(store.getState()).toMatchObject({ wakes: 0, notices: [] })
  })

  it('goes back two seconds, or to where all was well, says so, and lets cruise drive', async () => {
    const { store, driver, back, breakAt } = setup()
    await breakAt(100, 80)
    expect(back).toEqual([40])
    expect(driver.rested).toBe(1)
    expect(store.getState().wakes).toBe(1)
    expect(store.getState().notices[0]!.text).toContain('you woke for a moment')
    await breakAt(400, 320)
    expect(back).toEqual([40, 80])
  })

  it('wakes once while it is on the way', () => {
    const { driver, back, waking } = setup()
    driver.wellBefore = 90
    void waking.hear(100)
    void waking.hear(101)
    expect(back).toEqual([40])
  })

  it('goes farther back each time the drive breaks again at once', async () => {
    const { back, breakAt } = setup()
    await breakAt(300, 290)
    await breakAt(280, 275)
    await breakAt(270, 260)
    expect(back).toEqual([40, 80, 120])
    await breakAt(490, 480)
    expect(back.at(-1)).toBe(40)
  })

  it('forgets where it landed once another drive has begun', async () => {
    const { back, waking, breakAt } = setup()
    await breakAt(100, 60)
    await waking.hear(1)
    await breakAt(100, 90)
    expect(back).toEqual([40, 40])
  })

  it('goes back to the first tick that is kept, and stays where nothing is', async () => {
    const { store, back, breakAt } = setup()
    store.setState({ past: { from: 90, to: 100 } })
    await breakAt(100, 20)
    expect(back).toEqual([10])
    store.setState({ past: null })
    await breakAt(200, 20)
    expect(back).toHaveLength(1)
  })
})
