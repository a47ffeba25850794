import type { IncomingMessage, ServerResponse } from 'node:http'
import { OneiroError } from '../../src/engine/errors'
import { refusal } from '../session/connection'
import type { KeptSeat } from '../session/reservations'
import { SEAT_MS } from '../session/reservations'
import type { Secret } from '../session/secret'
import { type GateOptions, whyRefused } from './gate'

export interface PagesOptions {
  readonly gate: GateOptions
  /** Asked of whoever wants more than to know that the server is there. */
  readonly secret: Secret
  readonly ready: () => boolean
  readonly metrics: () => Promise<string>
  /** A seat's token. Rejects with an `OneiroError` where none can be kept. */
  readonly keepSeat: () => Promise<KeptSeat>
  readonly onRefused: (code: string) => void
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Record<string, string>
}

/** What is answered over HTTP beside the websocket. */
export class Pages {
  constructor(private readonly options: PagesOptions) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, headers } = await this.page(request)
    const type = body.startsWith('{') ? 'application/json' : 'text/plain'
    response.writeHead(status, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
      ...headers,
    })
    response.end(body)
  }

  private async page(request: IncomingMessage): Promise<Answer> {
    // Nothing is read of a body, and what is not read would hold up the connection.
    request.resume()
    const { ready } = this.options
    switch (`${request.method} ${request.url}`) {
      case 'GET /healthz':
        return { status: 200, body: 'ok\n' }
      case 'GET /readyz':
        return ready() ? { status: 200, body: 'ready\n' } : { status: 503, body: 'not ready\n' }
      case 'GET /metrics':
        return this.guarded(request, async () => ({ status: 200, body: await this.options.metrics() }))
      case 'POST /seats':
        return this.guarded(request, async () => this.seat())
      default:
        return {
          status: 404,
          body: 'Here is only a websocket, /healthz, /readyz, /metrics and POST /seats.\n',
        }
    }
  }

  /** For those whom a websocket would be opened for, and who know the token. */
  private async guarded(request: IncomingMessage, page: () => Promise<Answer>): Promise<Answer> {
    const { gate, secret } = this.options
    const why = whyRefused(request.headers, gate)
    if (why) return this.refused(403, why)
    const { authorization = '' } = request.headers
    const token = /^bearer (.+)$/i.exec(authorization)?.[1]
    if (secret.isKnownBy(token)) return page()
    return { ...this.refused(401, 'UNAUTHORIZED'), headers: { 'www-authenticate': 'Bearer' } }
  }

  private async seat(): Promise<Answer> {
    if (!this.options.ready()) return this.refused(503, 'SERVER_DRAINING')
    try {
      const kept = await this.options.keepSeat()
      return { status: 201, body: `${JSON.stringify({ ...kept, expires: SEAT_MS / 1000 })}\n` }
    } catch (error) {
      if (error instanceof OneiroError) return this.refused(503, error.code, error.message)
      throw error
    }
  }

  private refused(status: number, code: string, message = SENTENCES[code]): Answer {
    this.options.onRefused(code)
    return { status, body: `${JSON.stringify({ code, message })}\n` }
  }
}

const SENTENCES: Record<string, string> = {
  BAD_HOST: 'The server does not go by this name. Start it with --allow-host.',
  BAD_ORIGIN: 'Pages from there may not ask this server. Start it with --allow-origin.',
  UNAUTHORIZED: "The server's token was expected as `Authorization: Bearer`, and another one or none came.",
  SERVER_DRAINING: refusal('SERVER_DRAINING').message,
}
