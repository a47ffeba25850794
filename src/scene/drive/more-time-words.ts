/** Further words for times of day, in captions that only text is made of: see more-words.ts. */
import type { TimeOfDay } from './labels'
import { type Lexicon, lexicon } from './lexicon'

export const MORE_TIME_WORDS: Record<TimeOfDay, Lexicon> = {
  dawn: lexicon(
    `in the first rays of the sun | at the earliest hour of light | when the farm animals wake | with a pale
    sky in the east | in the faint light of a new day | as the eastern sky brightens | before the town is awake
    | when the alarm clock rings | at half past five in the morning | as the milkman comes | in the soft rose
    of the morning | as the night ends | with the day just born | on a morning commute | as the sun climbs out
    of bed | in the glow before the sun is up | on a dewy morning | with the last stars going out | in the hush
    before the day | with the first birdsong | at sun-up | as it gets light | at seven in the morning | as the
    sky lightens | with the sun rising | on a new morning | just before sunrise | soon after sunrise | at the
    opening of the day | as morning breaks | in the morning glow | bright and early | at an early hour | on an
    early morning | as joggers go out | on the way to work | on the school run | as I wake up | at breakfast |
    with my first coffee | at a quarter to six | at 7 am | at eight o'clock in the morning | as the sun lifts
    over the hills | while the sun climbs | with the sun low in the east | facing the rising sun | with a
    beautiful sunrise | as a new day dawns | when the day is young | as the night fades | when the stars fade |
    with pink clouds in the east | in a golden sunrise | in pale morning light | as larks sing | with birds
    singing | at reveille | as the day gets going | as daylight arrives | when the sun first shows`,
    `rose-coloured morning | dewy | aurora | first-morning | pale-pink | sun-waking | brightening | newborn-day
    | day-beginning | predawn | pastel morning | early-day | sunrise-lit | dawning | just-woken | morning-fresh
    | breakfast-time | half-awake | birdsong | new-morning | early-sun | bright-and-early | sunrise-coloured`,
  ),
  noon: lexicon(
    `when the sun stands right above | with the sun straight up | with the sun directly above us | while people
    eat their midday meal | at the day's warmest | with sunbeams everywhere | in the full day | under the white
    sun | at one o'clock in the day | at half past twelve | on a sunny day | in a flood of daylight | when it
    is as bright as it gets | with the sun in the middle of the sky | at siesta time | in the middle hours | in
    broad day | with hardly a shadow | at the height of the day | at the peak of the day | when the clock
    strikes twelve | with the sun at its zenith | in the midday heat | in the noon sun | in the bright sun | on
    a bright day | on a bright afternoon | on a summer's day | in summer sun | on a hot afternoon | on a lazy
    afternoon | at 3 pm | at three in the afternoon | around one in the afternoon | well into the day | in full
    brightness | under a bright sun | under a blazing sun | under a hot sun | under a yellow sun | with the sun
    high in the sky | in harsh light | in vivid light | in the glare of the sun | in white light | by daylight
    | in daylight hours | in the daytime | in the noonday sun | during working hours | during the school day |
    while shops are open | at picnic time | with sunglasses on | while it is light | with everything bright |
    in brilliant light | at the day's midpoint | in radiant daylight | when the sun is strong`,
    `sun-drenched | sunbathed | brightly lit | midday-sun | siesta | bright daytime | sun-above | well-lit |
    twelve-o'clock | sun-flooded | radiant | sunshiny | bright-lit | afternoon-lit | sun-high |
    full-daylight | midday-bright | glaring | dazzling | twelve-noon | summery | brightest | sun-bright`,
  ),
  dusk: lexicon(
    `as darkness falls | in the half-light of evening | when the day is done | in the dusky light | in the
    gloom before night | as evening falls | while the sun is setting | with the sun going under | in the late
    twilight | as day gives way to night | in the fading glow | when the street lights come on | at eight in
    the evening | in the last red of the sun | as the west glows | as the sky darkens | at the day's last hour
    | in the purple hour | when the sun is nearly gone | as the cows come home | in the shade of the evening |
    with a crimson west | as the sun dips | as the sun drops | as the sun slips away | with the sun sinking |
    with the sun low in the west | facing the setting sun | with a beautiful sunset | in a red sunset | under a
    sunset sky | in the sunset glow | in evening light | in the evening glow | in the evening sun | on an autumn
    evening | on a summer evening | on a quiet evening | at 6 pm | at half past eight in the evening | at nine
    in the evening | around dinner time | at suppertime | at vespers | at happy hour | on the way home from
    work | as day ends | as the day dies | when daylight fades | with daylight nearly gone | in the failing
    light | in orange light | in amber light | in violet light | under a violet sky | under a red sky | under a
    purple sky | beneath pink evening clouds | when lanterns are lit | as the first stars appear | between day
    and night | shortly before night | with long shadows | at the onset of night | as the horizon burns red`,
    `nearly-night | darkening | evening-red | half-lit evening | dusky | sun-sinking | last-light | vespertine |
    red-evening | late-evening | crepuscular | sunset-coloured | sunset-lit | amber | orange evening |
    evening-gold | setting-sun | violet | twilit | shadowy evening | post-sunset | early-evening | dinner-time
    | suppertime | pre-night | long-shadowed | day-dying`,
  ),
  night: lexicon(
    `under the moon | under a full moon | with the moon up | beneath a pale moon | in the wee hours | in the
    hours after midnight | at four in the night | in the late hours of the night | by torch light | with the
    town asleep | when the bats fly | at 2 am | in the ink of night | under the night sky | when wolves howl |
    in the quiet hours when all sleep | at nighttime | by night | tonight | all night long | overnight | on a
    black night | on a starry night | on a quiet night | in the night | deep in the night
    | late in the night | far into the night | in the dark hours | in the dark of night | in deep darkness | in
    complete darkness | under a starry sky | under countless stars | under the constellations | under the Big
    Dipper | with a shooting star | with stars twinkling | with the stars out | beneath a black sky | with a
    crescent moon | when the moon is high | at 11 pm | at eleven at night | at ten at night | at half past two
    at night | at twelve at night | after midnight | around midnight | past bedtime | when everybody is in bed
    | while the city sleeps | in the beam of the headlights | with high beams on | with only headlights to see
    by | in lamplight | by lantern | black as coal | dark as ink | in the blackest hour | in the hour of ghosts
    | when vampires wake | when foxes prowl | when crickets chirp | while owls hoot | on the night shift | on a
    night bus | when it is night | long after dark`,
    `moon-bright | full-moon | wee-hours | late-hours | night-time | inky | dark and starry | lamp-lit night |
    jet-black | insomniac | midnight-dark | midnight-black | after-dark | star-spangled |
    star-studded | star-bright | headlight-lit | dark-skied | black-skied | coal-black | ink-black |
    owl-haunted | bedtime | overnight | all-night | darkest | shadow-black | pitch-dark`,
  ),
}
