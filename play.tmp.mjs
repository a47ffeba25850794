import { chromium } from 'playwright'
import { spawn } from 'node:child_process'
const p = spawn('npm', ['start'], { cwd: '/work/main', detached: true }); let out=''
p.stdout.on('data', d => out += d); p.stderr.on('data', d => out += d)
let url; for (let i=0;i<240 && !url;i++){ await new Promise(r=>setTimeout(r,500)); url = out.match(/http:\/\/localhost:\d+\S*/)?.[0] }
console.log(url)
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-background-networking','--enable-unsafe-swiftshader'] })
const page = await b.newPage({ viewport: { width: 1280, height: 720 } })
const t0=Date.now()
await page.goto(url.replace(/\x1b.*/, '') + (url.includes('?')?'&':'?') + 'backend=wasm&seed=7')
await page.waitForFunction(() => window.oneiro?.store?.getState?.().tick > 0 || window.oneiro?.state?.tick > 0, null, {timeout:60000}).catch(()=>{})
console.log('first tick ms', Date.now()-t0)
await page.keyboard.down('ArrowUp'); await page.waitForTimeout(4000); await page.screenshot({ path: '/tmp/p1.png' })
const say = async (w, n) => { await page.keyboard.press('/'); await page.keyboard.type(w); await page.keyboard.press('Enter'); await page.keyboard.down('ArrowUp'); await page.waitForTimeout(2000); await page.screenshot({ path: `/tmp/p${n}a.png` }); await page.waitForTimeout(3000); await page.screenshot({ path: `/tmp/p${n}b.png` }) }
await say('a green meadow at noon', 2); await say('a snowy night drive', 3); await say('make it rain in the forest', 4)
await page.waitForTimeout(15000); await page.screenshot({ path: '/tmp/p5.png' })
await b.close(); process.kill(-p.pid); process.exit(0)
