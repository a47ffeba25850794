/** Oneiro in a browser. Everything that we build ourselves comes through this door, or through `node.ts`. */
export { openWorld } from './open-world'
export { play } from './play'
export * from './public'
