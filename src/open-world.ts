import './worlds'
import { lazily } from './engine/lazily'
import type { World } from './engine/world'
import type { DreamClient, DreamListener, OpenDreamOptions } from './model/open'
import type { RemoteClient, RemoteClientOptions } from './net/client/remote-client'

/** How a world is opened. What does not fit its address is left aside. */
export interface OpenOptions extends Omit<OpenDreamOptions, 'url' | 'onEvent'> {
  /** Opens a server, where it asks for one. */
  readonly token?: string
  /** Of a server: the folder of the same world, whose decoder then draws it here. Left out, pictures come as images. */
  readonly assets?: string | URL
  /** Of a server: gives up while it has no seat. */
  readonly signal?: AbortSignal
  /** Hears what happens beside ticks; `message` is a sentence for the user. */
  readonly onEvent?: (event: { readonly type: string; readonly message: string }) => void
}

type FolderOptions = Omit<OpenDreamOptions, 'url'>
type ServerOptions = Omit<RemoteClientOptions, 'url' | 'assets'> & Pick<OpenOptions, 'assets'>

/** What our own page asks of a server beside `World`. @internal */
export function openWorld(
  server: `ws://${string}` | `wss://${string}`,
  options?: ServerOptions,
): Promise<RemoteClient>
/** And of a dream. @internal */
export function openWorld(folder: URL, options?: FolderOptions): Promise<DreamClient>
/**
 * Opens a world: the dream in a folder (it holds `world.json`), computed in a worker on WebGPU or WASM; or the world that a
 * server streams, at `ws://` or `wss://`, in lockstep. Close it when done. Rejects with a named error (`OneiroError`) whose
 * message is a sentence for the user.
 *
 * @example
 * const world = await openWorld('/worlds/drive/')
 * await world.reset({ seed: 7, prompt: 'a snowy night drive' })
 * const { frame } = await world.step(spaceOf(world.info.controls).idle)
 */
export function openWorld(address: string | URL, options?: OpenOptions): Promise<World>
export async function openWorld(
  address: string | URL,
  options: Omit<OpenOptions, 'onEvent'> & { readonly onEvent?: (event: never) => void } = {},
): Promise<World> {
  const { token, assets, signal, onEvent, ...dream } = options
  if (!/^wss?:/.test(`${address}`)) {
    const { openDream } = await lazily(() => import('./model/open'))
    return openDream({ ...dream, onEvent: onEvent as DreamListener, url: address })
  }
  const { RemoteClient } = await lazily(() => import('./net/client/remote-client'))
  const folder = assets && new URL(`${assets}`.replace(/\/?$/, '/'), document.baseURI).href
  const world = await RemoteClient.open({
    ...{ url: `${address}`, token, assets: folder, signal },
    onEvent: onEvent as RemoteClientOptions['onEvent'],
  })
  await world.setMode('lockstep')
  return world
}
