import { fetchWorlds } from '../app/chooser'
import { download } from '../app/ui/download'
import '@fontsource-variable/geist'
import '@fontsource/instrument-serif/400.css'
import '@fontsource/instrument-serif/400-italic.css'
import '../app/styles/base.css'
import '../app/styles/overlays.css'
import './arena.css'
import { readAddress } from './address'
import { Arena } from './arena'
import type { Commands } from './commands'
import { attachKeys } from './keys'
import { createPage } from './page'
import { fileName, report } from './report'
import { PaneScreen } from './screen'
import { createArenaStore, troubleFrom } from './store'
import { openPair, type Pair } from './students'
import { VoteBox } from './votes'

/** The arena lies one folder below the site, beside which the worlds lie. */
const site = new URL('../', document.baseURI).href
const address = readAddress(location.search, site)
const box = new VoteBox(storage())
const store = createArenaStore({
  phase: address.b === null ? 'setup' : 'loading',
  votes: box.votes,
  notices: box.trouble ? [...address.notices, box.trouble] : address.notices,
})
let arena: Arena | null = null

const commands: Commands = {
  answer: (verdict, question) => arena?.answer(verdict, question),
  takeBack: () => arena?.takeBack(),
  next: () => void arena?.next(),
  again: () => arena?.again(),
  retry: () => void arena?.begin(store.getState().round),
  toggleResults: () => store.setState(({ results }) => ({ results: !results })),
  closeResults: () => store.setState({ results: false }),
  exportVotes() {
    const { pair } = store.getState()
    if (pair) {
      const body = JSON.stringify(report(box.votes, ...pair, new Date()), null, 2)
      download(`${body}\n`, fileName(...pair))
    }
  },
  forget: () => arena?.forget(),
}

async function start(): Promise<void> {
  const short = (href: string) => (href.startsWith(site) ? href.slice(site.length) : href)
  const rest = [...new URLSearchParams(location.search)].filter(([name]) => name !== 'a' && name !== 'b')
  const opponents = fetchWorlds(site).then((list) =>
    list.flatMap(({ name, opponents = [] }) => opponents.map((opponent) => ({ world: name, opponent }))),
  )
  const given = { a: short(address.a), b: address.b && short(address.b), rest, opponents, site }
  const page = createPage(document.getElementById('app')!, store, commands, given)
  attachKeys(store, commands)
  const { a, b, backend } = address
  if (b === null) return
  let pair: Pair
  try {
    const promptEncoderUrl = new URL('assets/prompt-encoder/encoder.json', site).href
    pair = await openPair([a, b], { backend, promptEncoderUrl }, (progress) => store.setState({ progress }))
  } catch (error) {
    store.setState({ phase: 'setup', trouble: troubleFrom(error) })
    return
  }
  window.addEventListener('pagehide', ({ persisted }) => {
    if (persisted) return // kept, for the way back to it
    for (const world of pair.worlds) void world.close()
  })
  store.setState({ pair: pair.tags })
  const screens = [await PaneScreen.open(page.panes[0]), await PaneScreen.open(page.panes[1])] as const
  const session = address.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!
  arena = new Arena({ store, pair, box, screens, session, seconds: address.seconds })
  await arena.begin()
}

/** A browser may forbid it by throwing. */
function storage(): Storage | null {
  try {
    return window.localStorage
  } catch {
    return null
  }
}

void start()
