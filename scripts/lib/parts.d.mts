import type { Plugin } from 'vite'

export function laterParts(): Plugin
