import { serve } from 'oneiro/server'

const server = await serve({ world: 'assets/drive', port: Number(process.env.PORT ?? 7700) })
console.log(`ws://localhost:${server.port}`)
process.once('SIGINT', () => server.close())
