// By which names the page may be opened. A stranger's page can point a name of its own at this machine, so that not every one may.
import { isIP } from 'node:net'
import { hostname } from 'node:os'

/** The machine's own names, for a page that is open to the network. */
export function ownNames(name = hostname()) {
  const short = name.split('.')[0]
  return [...new Set([name, short, `${short}.local`].map((one) => one.toLowerCase()))]
}

/** @param {string | undefined} header The `Host` of a request. @param {readonly string[]} allowed */
export function mayOpenBy(header, allowed) {
  if (!header || !URL.canParse(`http://${header}`)) return false
  const name = new URL(`http://${header}`).hostname
  if (isIP(name.replace(/^\[|\]$/g, ''))) return true
  return name === 'localhost' || name.endsWith('.localhost') || allowed.includes(name)
}

/** Answers other names, with a sentence about this project's command: Vite's own is about a file of its configuration. */
export function hostGuard(allowed) {
  const guard = (server) =>
    void server.middlewares.use((request, response, next) => {
      if (mayOpenBy(request.headers.host, allowed)) return next()
      const name = String(request.headers.host).replace(/:\d+$/, '')
      response.writeHead(403, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end(
        `This page is not open under the name "${name}". If the name is yours, start it with: npm start -- --allow-host ${name}\n`,
      )
    })
  return { name: 'oneiro-hosts', configureServer: guard, configurePreviewServer: guard }
}
