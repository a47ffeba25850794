import { writeActionLog } from '../../engine/action-log'
import { dayOf } from '../../engine/run'
import { runFor } from '../../scene/drive'
import type { Player } from '../player/player'
import { notify, type Store, watch } from '../store'
import { download } from '../ui/download'
import { createRunCard, createRunPanel, type RunCommands, shareText } from './panel'
import { Run } from './run'

/** Puts runs on the page. The key asks for one, or for another while one is under way. */
export function attachRun(root: HTMLElement, store: Store, player: Player, linkedDay: string | null) {
  const run = new Run(store, player, runFor)
  const day = () => linkedDay ?? dayOf(new Date())
  const commands: RunCommands = {
    start: () => void run.start(day()),
    leave: () => run.leave(),
    share: () => void share(store),
    save() {
      if (run.log) download(writeActionLog(run.log), `oneiro-run-${run.log.run?.day}.json`)
      else notify(store, 'This drive kept no log, so there is nothing that proves the run.', 'warn')
    },
  }
  player.listen((event, world) => run.hear(event, world))
  const model = () => player.world?.info.modelHash ?? ''
  root.append(createRunPanel(store, commands, day, model), createRunCard(store, commands))
  // A view is shown after its world has begun.
  const meet = () => player.world && run.meet(player.world.info)
  watch(store, (s) => s.shown, meet)
  return commands
}

async function share(store: Store): Promise<void> {
  const { run, touch } = store.getState()
  if (!run) return
  const url = new URL(location.href)
  url.search = url.hash = ''
  url.searchParams.set('run', run.day)
  const text = shareText(run, url.href)
  try {
    if (touch && navigator.share) return await navigator.share({ text })
    await navigator.clipboard.writeText(text)
    notify(store, 'Your result is on the clipboard, with a link to the same run.')
  } catch (error) {
    if ((error as Error).name !== 'AbortError') notify(store, text, 'info', 20_000)
  }
}
