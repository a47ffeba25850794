import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** `npm run serve` on a free port, without npm. */
export async function startServer(
  world: string,
  ...args: string[]
): Promise<{ port: number; stop(): Promise<void> }> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const options = ['--world', world, '--port', '0', '--threads', '1', ...args]
  const child = spawn(process.execPath, ['--import', tsx, 'server/main.ts', ...options], { cwd: root })
  const port = await portOf(child)
  return {
    port,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (data) => {
        output += data
        const port = output.match(/"port":(\d+)/)?.[1]
        if (port) resolve(Number(port))
      })
    }
    child.once('exit', () => reject(new Error(`The server ended before it listened:\n${output}`)))
  })
}

/** A line between a page and a server that can be cut. */
export async function startLine(to: number) {
  const sockets = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) return near.destroy()
    const far = dial(to, 'localhost')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const cut = () => {
    whole = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend() {
      whole = true
    },
    stop() {
      cut()
      server.close()
    },
  }
}
