/**
 * Further words for the captions that only text is made of (`trainingParaphrases`): recordings keep theirs, so that a seed
 * says the same for ever. None of the `unseen` words of the lexicon is among them.
 */
import type { TimeOfDay, Weather } from './captions'
import { type Lexicon, lexicon } from './lexicon'

export const MORE_TIME_WORDS: Record<TimeOfDay, Lexicon> = {
  dawn: lexicon(
    `in the first rays of the sun | at the earliest hour of light | when the farm animals wake | at cockcrow |
    with a pale sky in the east | in the faint light of a new day | as the eastern sky brightens | before the
    town is awake | when the alarm clock rings | at half past five in the morning | as the milkman comes | in
    the soft rose of the morning | as the night ends | with the day just born | on a morning commute | as the
    sun climbs out of bed | in the glow before the sun is up | on a dewy morning | with the last stars going
    out | in the hush before the day | with the first birdsong | at sun-up | as it gets light | at seven in
    the morning`,
    `rose-coloured morning | dewy | aurora | first-morning | cockcrow | pale-pink | sun-waking | brightening |
    early-hours morning | newborn-day | day-beginning | predawn | pastel morning`,
  ),
  noon: lexicon(
    `over the lunch break | when the sun stands right above | with the sun straight up | with the sun directly
    above us | as everyone has lunch | while people eat their midday meal | at the day's warmest | in bright
    sunlight | lit by the sun | with sunbeams everywhere | in the full day | under the white sun | at one
    o'clock in the day | at 11:30 am | at half past twelve | on a sunny day | in a flood of daylight | when it
    is as bright as it gets | with the sun in the middle of the sky | at siesta time | in the middle hours |
    when the school children have their break | in broad day | with hardly a shadow`,
    `lunch-hour | sunlight-filled | sun-drenched | sunbathed | brightly lit | midday-sun | siesta | bright
    daytime | sun-above | well-lit | twelve-o'clock | sun-flooded | radiant`,
  ),
  dusk: lexicon(
    `as night falls | as darkness falls | in the half-light of evening | when the day is done | in the dusky
    light | in the gloom before night | as evening falls | while the sun is setting | with the sun going under
    | in the late twilight | as day gives way to night | at the fall of evening | in the fading glow | when the
    street lights come on | at eight in the evening | in the last red of the sun | as the west glows | as the
    sky darkens | at the day's last hour | in the purple hour | when the sun is nearly gone | as the cows come
    home | in the shade of the evening | with a crimson west`,
    `nearly-night | darkening | evening-red | half-lit evening | dusky | sun-sinking | last-light | vespertine |
    falling-dark | red-evening | late-evening | sun-down | crepuscular`,
  ),
  night: lexicon(
    `under the moon | under a full moon | with the moon up | by the light of the moon and the stars | in the
    silver light of the moon | beneath a pale moon | in the wee hours | in the hours after midnight | at four
    in the night | hours before the morning | in the late hours of the night | by lamp light | by torch light |
    with the town asleep | when the bats fly | at 2 am | in the ink of night | under the night sky | when
    wolves howl at the moon | with the moon shining | in the quiet hours when all sleep | in the nightly dark |
    on a moon-bright night | with only the lamps for light`,
    `moon-bright | moon-silvered | full-moon | wee-hours | late-hours | night-time | moon-filled | inky | dark
    and starry | lamp-lit night | jet-black | insomniac | moonshine`,
  ),
}

export const MORE_WEATHER_WORDS: Record<Weather, Lexicon> = {
  clear: lexicon(
    `in fair skies | with a clear sky above | in good and dry weather | with nothing in the sky | in lovely
    weather | with clear air | in clean air | in the best of weather | with the sky wide open | in cloudless
    weather | with a flawless sky | on a beautiful clear day`,
    `fair | dry-aired | flawless-skied | lovely | good-weather | clear-aired | unclouded | bright and clear |
    calm and clear`,
  ),
  rain: lexicon(
    `in drizzle | in a light drizzle | as it drizzles | as it pours | in pouring rain | with rain pouring down |
    in a soaking rain | wet through | with everything dripping | sopping wet | in spitting rain | in a
    sprinkle of rain | in buckets of rain | in a wet grey rain | with a wet road and rain | while it pours
    and pours`,
    `drizzling | pouring | soaking | sopping | rained-on | soggy | rain-wet | pattering | wet and rainy |
    waterlogged | spitting-rain | rain-heavy`,
  ),
  fog: lexicon(
    `inside a cloud | with clouds down on the ground | in ground-hugging cloud | with cloud lying on the road |
    swallowed by cloud | in the thick of a cloud | in hazy air | behind a hazy veil | in gloomy mist | in dim
    grey air | in opaque air | in murk | lost in the mist | lost in a grey cloud | cloaked in fog | in a
    smothering fog | through clouds that touch the road | hidden in mist`,
    `gloomy and misty | opaque | cloud-swallowed | cloudbound | obscured | dim and grey | mist-cloaked | unclear
    grey | low-visibility | clouded-in | turbid | grey-veiled`,
  ),
  snowfall: lexicon(
    `in snow flurries | with a dusting of snow coming down | with snow and ice pellets falling | in slushy
    snowfall | in wintry showers | in gusts of snow | with snow tumbling down | with snow spinning through the
    air | as tiny bits of snow come down | in a swirl of snow | in snow and wind | as snow dances around the
    car | with snow drifting down | in a spell of snowfall | as it snows and snows`,
    `snow-gusting | snow-swirling | lightly snowing | snow-tumbling | slushy | wintry-shower | snow-dusting |
    snow-spinning | heavily snowing | snow-drifting | snowing and blowing`,
  ),
}
