/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */
package io.millrace.efa.term;

/**
 * Images whose senders may write into their logs, by the numbers of their frames and by their streams. Owned by the
 * Receiver.
 */
public final class PlacedImages
{
    private static final PlacedImage[] NO_IMAGES = new PlacedImage[0];

    private final TermCounters counters;
    private PlacedImage[] imageByGranule = NO_IMAGES;
    private long committed;

    /**
     * Create without images.
     *
     * @param counters of logs.
     */
    public PlacedImages(final TermCounters counters)
    {
        this.counters = counters;
    }

    /**
     * Accept writes to an image.
     *
     * @param image to add.
     */
    public void add(final PlacedImage image)
    {
        if (0 == imageByGranule.length)
        {
            imageByGranule = new PlacedImage[(int)(FrameNumbers.TOTAL >> NumberRanges.GRANULE_SHIFT)];
        }
        set(image, image);
    }

    /**
     * Accept no writes to an image.
     *
     * @param image to remove.
     */
    public void remove(final PlacedImage image)
    {
        set(image, null);
    }

    /**
     * Find the image of a write and commit its frame.
     *
     * @param immediate of the write.
     * @param length    of the write in bytes, 0 where the provider does not tell.
     * @return the image, or null when the frame was rejected, which is counted.
     */
    public PlacedImage commit(final long immediate, final long length)
    {
        final long number = FrameNumbers.number(immediate);
        final int granule = (int)(number >>> NumberRanges.GRANULE_SHIFT);
        final PlacedImage image = granule < imageByGranule.length ? imageByGranule[granule] : null;
        if (null == image || number - image.base() >= image.numbers())
        {
            counters.rejectedNumber.incrementRelease();
            return null;
        }

        final long frameLength = FrameNumbers.length(immediate);
        committed = image.commit(number, 0 == frameLength ? length + FrameHeader.FIRST_LENGTH : frameLength);
        return 0 == committed ? null : image;
    }

    /**
     * Address of the frame that {@link #commit} has accepted last.
     *
     * @return address in our mapping of the log.
     */
    public long committed()
    {
        return committed;
    }

    private void set(final PlacedImage image, final PlacedImage value)
    {
        final int first = (int)(image.base() >> NumberRanges.GRANULE_SHIFT);
        final int count = NumberRanges.granules(image.numbers());
        for (int i = first; i < first + count; i++)
        {
            imageByGranule[i] = value;
        }
    }
}
