import { OneiroError } from './errors'

/** What Node says of a package that is not there, from `import` and from `require`. */
const MISSING = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']

/**
 * Loads what needs a package that a project brings along itself. Where that is not installed, rejects with
 * `PACKAGE_MISSING` and what to install.
 *
 * @example
 * const { openDreamNode } = await withPackage('onnxruntime-node', () => import('./model/node'))
 */
export async function withPackage<Part>(name: string, load: () => Part | Promise<Part>): Promise<Part> {
  try {
    return await load()
  } catch (cause) {
    const { code = '', message } = cause as { code?: string; message: string }
    if (!MISSING.includes(code) || !message.includes(`'${name}'`)) throw cause
    const sentence = `This needs the package ${name}, which is not installed. Run: npm install ${name}`
    throw new OneiroError('PACKAGE_MISSING', sentence, { cause })
  }
}
