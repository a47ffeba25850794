import { fileURLToPath } from 'node:url'
import { ensureNodePackages } from './node-packages.mjs'
import { root, runMain } from './run.mjs'

/**
 * Runs a command that is written in TypeScript in this very process, so that whoever ends this ends it, as a shell, a container
 * and systemd do, and its stdin and stdout are this one's.
 *
 * @param {URL} main
 */
export async function runInProcess(main) {
  await runMain(async () => {
    await ensureNodePackages()
    process.env.INIT_CWD ??= process.cwd()
    process.chdir(root)
    // The command line reads its options from behind the file's name.
    process.argv[1] = fileURLToPath(main)
    const { register } = await import('tsx/esm/api')
    register()
    await import(main.href)
    return process.exitCode
  })
}
