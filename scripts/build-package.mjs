// npm run build:package: the npm package as it is published, in dist-package/; `npm pack` then makes its archive.
import { ensureNodePackages } from './lib/node-packages.mjs'
import { runMain } from './lib/run.mjs'

await runMain(async () => {
  await ensureNodePackages()
  const { buildPackage } = await import('./lib/package.mjs')
  const files = await buildPackage()
  console.log(`Built ${files.length} files into dist-package/. To pack them: npm pack`)
})
