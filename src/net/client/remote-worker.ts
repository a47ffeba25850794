/// <reference lib="webworker" />
import { expose } from 'comlink'
import { RemoteHost } from './remote-host'

expose(new RemoteHost())
