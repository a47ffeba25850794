/** What an attacker does to a server beside healthy players. All on loopback, bounded in count and time. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FrameFormat } from '../src/net/protocol/messages'
import { type HealthyPlayer, type Play, Speaker } from './attack-player'

export interface Scene extends Play {
  readonly port: number
  readonly players: readonly HealthyPlayer[]
  /** Aborts when the time is over. */
  readonly over: AbortSignal
}

/** What was seen beside the players, for the report. */
export type Attack = (scene: Scene) => Promise<Record<string, number | string>>

const status = async (port: number, path: string): Promise<number> => {
  const signal = AbortSignal.timeout(2_000)
  return (await fetch(`http://127.0.0.1:${port}${path}`, { signal }).catch(() => null))?.status ?? 0
}

/** 300 requests that are refused, each a line of the log, which lies on a disk without room. */
export const fullDisk: Attack = async ({ port, over }) => {
  let answered = 0
  for (let i = 0; i < 300 && !over.aborted; i++) if ((await status(port, '/metrics')) === 401) answered++
  const health = await status(port, '/healthz')
  if (!over.aborted) await sleep(60_000, null, { signal: over }).catch(() => {})
  return { refused: answered, healthz: health }
}

/** 40 "words" of 23 characters of which the model makes a token each. */
function heavy(turn: number): string {
  const letter = (i: number) => String.fromCharCode(0x4e00 + (i % 2000))
  return Array.from({ length: 40 }, (_, word) =>
    Array.from({ length: 23 }, (_, i) => letter(turn * 131 + word * 37 + i * 11)).join(''),
  ).join(' ')
}

/** Joins, says eight heavy texts and leaves, again and again; a healthy player says its own words meanwhile. */
export const heavyWords: Attack = async ({ url, token, players, over }) => {
  let texts = 0
  const attack = async () => {
    for (let visit = 0; visit < 40 && !over.aborted; visit++) {
      const guest = new Speaker(url)
      if (await guest.join({ formats: ['webp'], token })) {
        guest.say({ type: 'reset', request: 1, body: { seed: visit } })
        for (let i = 0; i < 8; i++) {
          guest.say({ type: 'prompt', request: 2 + i, body: { text: heavy(texts++) } })
        }
        await sleep(400)
        guest.say({ type: 'bye' })
      }
      guest.terminate()
    }
  }
  const attacking = attack()
  await sleep(1_000)
  const ms = await Promise.race([players[0]!.speak('a thunderstorm over the dunes'), aborted(over)])
  await attacking
  return { 'words of a player (ms)': ms === null ? 'not in time' : Math.round(ms) }
}

/** 196 sockets that say nothing, then eight a second; half of them stop in the middle of a request. */
export const silentSockets: Attack = async ({ url, token, port, over }) => {
  const sockets: Socket[] = []
  const websockets: Speaker[] = []
  const open = () => {
    if (sockets.length % 2) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
      sockets.push(socket)
    } else {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
    }
    websockets.push(new Speaker(url))
  }
  for (let i = 0; i < 196; i++) open()
  const opening = setInterval(open, 125)
  const seen = { joins: 0, refused: 0, resumes: 0, lost: 0, healthz: 0, dead: 0 }
  let resume: string | undefined
  await sleep(500)
  for (let i = 0; i < 100 && !over.aborted; i++) {
    const guest = new Speaker(url)
    guest.on((message) => {
      if (message.type === 'welcome' && i === 0) resume = message.body.resume
    })
    seen.joins++
    if (!(await guest.join({ formats: ['webp'], token }))) seen.refused++
    if (i > 0) guest.say({ type: 'bye' })
    guest.terminate()
    if (resume) {
      const back = new Speaker(url)
      back.on((message) => {
        if (message.type === 'welcome') resume = message.body.resume
      })
      seen.resumes++
      if (!(await back.join({ formats: ['webp'], resume }))) seen.lost++
      back.terminate()
    }
    seen.healthz++
    if ((await status(port, '/healthz')) !== 200) seen.dead++
    await sleep(100)
  }
  clearInterval(opening)
  for (const socket of sockets) socket.destroy()
  for (const socket of websockets) socket.terminate()
  return {
    'joins refused': `${seen.refused} of ${seen.joins}`,
    'resumes refused': `${seen.lost} of ${seen.resumes}`,
    'healthz failed': `${seen.dead} of ${seen.healthz}`,
  }
}

/** Sockets that are refused for their first message, and go on sending for as long as they are let; twelve at most. */
export const refusedSenders: Attack = async ({ port, over }) => {
  let sent = 0
  let heldMs = 0
  const flood = async () => {
    for (let tries = 0; tries < 4 && !over.aborted; tries++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      // What a websocket of `ws` would answer to being closed is not said.
      socket.write(UPGRADE)
      const upgraded = once(socket, 'data', { signal: AbortSignal.timeout(5_000) })
      if (!(await upgraded.catch(() => null))) continue
      const startedMs = performance.now()
      const frames = small()
      while (!socket.destroyed && !over.aborted && sent < 2_000_000_000) {
        sent += frames.length
        if (!socket.write(frames))
          await Promise.race([once(socket, 'drain'), once(socket, 'close'), sleep(100)]).catch(() => {})
        else await sleep(0)
      }
      heldMs = Math.max(heldMs, performance.now() - startedMs)
      socket.destroy()
    }
  }
  await Promise.all([flood(), flood(), flood()])
  return { 'sent (MB)': Math.round(sent / 1e6), 'held (ms)': Math.round(heldMs) }
}

const UPGRADE = [
  ...['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'],
  ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
].join('\r\n')

/** 64 kB of binary websocket messages of one byte, masked with zeros. */
function small(): Buffer {
  const one = Buffer.from([0x82, 0x81, 0, 0, 0, 0, 9])
  return Buffer.concat(Array(9_000).fill(one))
}

/** A player with 32 spectators, in two formats, who begins anew 20 times a second. */
export const restlessPlayer: Attack = async ({ url, token, over }) => {
  const player = new Speaker(url)
  let watch: string | undefined
  let begun = 0
  player.on((message) => {
    if (message.type === 'welcome') watch = message.body.watch
    if (message.type === 'frame' && message.request !== 0) begun++
  })
  await player.join({ formats: ['webp'], mode: 'realtime', token })
  const watchers: Speaker[] = []
  let shown = 0
  for (let i = 0; i < 32; i++) {
    const formats: FrameFormat[] = [i % 2 ? 'jpeg' : 'webp']
    const watcher = new Speaker(url)
    watcher.on((message) => {
      if (message.type === 'frame') shown++
    })
    await watcher.join({ formats, watch })
    watchers.push(watcher)
  }
  const beats = setInterval(() => {
    for (const one of [player, ...watchers]) one.say({ type: 'heartbeat', sentAtMs: 0 })
  }, 1_000)
  let request = 0
  while (!over.aborted && request < 600) {
    player.say({ type: 'reset', request: ++request, body: { seed: request } })
    await sleep(50)
  }
  clearInterval(beats)
  for (const one of [player, ...watchers]) one.terminate()
  return { resets: `${begun} of ${request}`, 'frames shown': shown }
}

const aborted = (signal: AbortSignal) =>
  new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
