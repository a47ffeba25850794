// The Python environment of distill/ and clients/python: a venv in .venv with exactly the packages of their
// requirements.txt, and for the tests those of distill/wan/requirements.txt too.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, SetupError } from './run.mjs'

const LOWEST_PYTHON = '3.11'
const BASE = ['distill/requirements.txt', 'clients/python/requirements.txt']

/** What every test needs: the optional packages of distill/wan come with the base, so that its torch stays. */
export const TEST_REQUIREMENTS = [...BASE, 'distill/wan/requirements.txt']

/** The venv's interpreter, whether it exists or not. */
export const venvPython = join(
  root,
  process.platform === 'win32' ? '.venv/Scripts/python.exe' : '.venv/bin/python',
)

// Prints the first package that is missing or of another version. "2.13.0+cpu" answers "2.13.0".
const CHECK = `
import importlib.metadata, re, sys
for line in [line for name in sys.argv[1:] for line in open(name, encoding="utf-8")]:
    found = re.match(r"([A-Za-z0-9_.-]+)==([^ ;#]+)", line)
    if not found:
        continue
    name, wanted = found[1], found[2].strip()
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"{name} is missing")
    if version.split("+")[0] != wanted:
        sys.exit(f"{name} is {version}, not {wanted}")
`

async function systemPython() {
  const [major, minor] = LOWEST_PYTHON.split('.')
  const probe = `import sys; sys.exit(sys.version_info < (${major}, ${minor}))`
  for (const name of ['python3.11', 'python3.12', 'python3.13', 'python3', 'python']) {
    const { status } = await run(name, ['-c', probe], { capture: true })
    if (status === 0) return name
  }
  throw new SetupError(
    `The training code and its tests need Python ${LOWEST_PYTHON} or newer, and none was found. Install it and run the command again.`,
  )
}

/** Why a venv's interpreter cannot be used, or null where it can: one that was made half-way has no pip. */
export async function venvFault(python, ask = run) {
  if (!existsSync(python)) return 'it is not there yet'
  const { status } = await ask(python, ['-m', 'pip', '--version'], { capture: true })
  return status === 0 ? null : 'the one that is there has no pip'
}

/** Makes the venv and installs the packages of these files where they are missing; answers the interpreter's path. */
export async function ensurePython(files = BASE) {
  const requirements = files.map((file) => join(root, file))
  const fault = await venvFault(venvPython)
  if (fault) {
    const python = await systemPython()
    console.log(`Making the Python environment in .venv (${fault}) ...`)
    const { status } = await run(python, ['-m', 'venv', '--clear', '.venv'])
    if (status !== 0) {
      throw new SetupError(
        'The Python environment could not be made. On Debian or Ubuntu: apt-get install python3-venv, then run this again.',
      )
    }
  }
  const { status, output } = await run(venvPython, ['-c', CHECK, ...requirements], { capture: true })
  if (status === 0) return venvPython
  console.log(
    `Installing the Python packages (${output.trim().split('\n').at(-1)}); PyTorch takes a while ...`,
  )
  const quiet = process.stdout.isTTY ? [] : ['--quiet']
  const chosen = requirements.flatMap((file) => ['-r', file])
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', ...quiet, ...chosen]
  if ((await run(venvPython, pip)).status !== 0) {
    throw new SetupError(
      `pip could not install ${files.join(' and ')}; its reason is above. Check the network and run the command again.`,
    )
  }
  return venvPython
}
