import { expect, it, vi } from 'vitest'
import type { Player } from './player/player'
import { createAppStore } from './store'
import { createAgentHandle } from './window-handle'

function handle(isRead = true) {
  const asked = { setPrompt: vi.fn(async () => isRead), setView: vi.fn(), setPlace: vi.fn() }
  const store = createAppStore({ phase: 'ready' })
  return { asked, oneiro: createAgentHandle(asked as unknown as Player, store, vi.fn()) }
}

it('refuses what is none of its choices, with a sentence', async () => {
  const { oneiro, asked } = handle()
  await expect(oneiro.setView('dreams' as never)).rejects.toThrow('one of dream, simulator, both')
  await expect(oneiro.setPlace('cloud' as never)).rejects.toThrow('one of device, server')
  await expect(oneiro.setPlace('server', { adress: 'ws://a' } as never)).rejects.toThrow('"adress"')
  await expect(oneiro.setPrompt(5 as never)).rejects.toThrow('5 came')
  await expect(oneiro.setPrompt(' ')).rejects.toThrow('at least one word')
  for (const call of Object.values(asked)) expect(call).not.toHaveBeenCalled()
})

it('rejects where words could not be read', async () => {
  await expect(handle(false).oneiro.setPrompt('fog')).rejects.toThrow('"fog"')
  await handle().oneiro.setPrompt('fog')
})

it('says in the console what can be asked, in the controls of the world that is driven', async () => {
  const controls = [
    { name: 'slide', kind: 'axis', values: [-1, 0, 1], labels: ['left', 'right'] },
    { name: 'jump high', kind: 'button' },
  ] as const
  const store = createAppStore({ phase: 'ready', controls })
  const oneiro = createAgentHandle({} as Player, store, vi.fn())
  const help = oneiro.help()
  expect(help).toContain('Controls: slide -1 (left), slide 1 (right), jump high 1 (jump high); 0 is at rest.')
  expect(help).toContain('await oneiro.step({ slide: 0, "jump high": 1 })')
  const named = Object.keys(oneiro).filter(
    (name) => !['store', 'player', 'world', 'dream', 'help'].includes(name),
  )
  for (const name of named) expect(help).toContain(`oneiro.${name}`)
})
