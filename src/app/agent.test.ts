import { expect, it, vi } from 'vitest'
import { createAgentHandle } from './agent'
import type { Player } from './player/player'
import { createAppStore } from './store'

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
