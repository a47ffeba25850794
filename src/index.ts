/** Oneiro in a browser. Everything that we build ourselves comes through this door, or through `node.ts`. */
export { type OpenOptions, openWorld } from './open-world'
export { type PlayOptions, play } from './play'
export * from './public'
