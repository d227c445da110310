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
package io.millrace.tests;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Dependencies point one way: {@code samples, tests -> archive -> bridge -> codecs} and
 * {@code samples, tests -> driver -> codecs}. The bridge and the archive know the Aeron client only, so that a KV
 * stream runs on any Aeron driver.
 */
class DirectionsTest
{
    private static final String CODECS = "io.millrace.codecs..";
    private static final String DRIVER = "io.millrace.efa..";
    private static final String BRIDGE = "io.millrace.bridge..";
    private static final String ARCHIVE = "io.millrace.archive..";
    private static final String SAMPLES = "io.millrace.samples..";

    private static JavaClasses classes;

    @BeforeAll
    static void importClasses()
    {
        classes = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.millrace");
    }

    @Test
    void everyModuleIsSeen()
    {
        // Otherwise the rules below would hold because there is nothing to check.
        for (final String module : new String[]{ "codecs", "efa", "bridge", "archive", "samples" })
        {
            assertThat(classes.stream().map(JavaClass::getPackageName))
                .anyMatch((name) -> (name + ".").startsWith("io.millrace." + module + "."));
        }
    }

    @Test
    void codecsKnowAgronaOnly()
    {
        classes().that().resideInAPackage(CODECS)
            .should().onlyDependOnClassesThat().resideInAnyPackage(CODECS, "org.agrona..", "java..")
            .check(classes);
    }

    @Test
    void driverKnowsCodecsOnly()
    {
        noClasses().that().resideInAPackage(DRIVER)
            .should().dependOnClassesThat().resideInAnyPackage(BRIDGE, ARCHIVE, SAMPLES, "io.aeron.archive..")
            .check(classes);
    }

    @Test
    void bridgeKnowsNoDriverAndNoArchive()
    {
        noClasses().that().resideInAPackage(BRIDGE)
            .should().dependOnClassesThat().resideInAnyPackage(
                DRIVER, ARCHIVE, SAMPLES, "io.aeron.driver..", "io.aeron.archive..")
            .check(classes);
    }

    @Test
    void archiveKnowsNoDriver()
    {
        noClasses().that().resideInAPackage(ARCHIVE)
            .should().dependOnClassesThat().resideInAnyPackage(DRIVER, SAMPLES)
            .check(classes);
        // The one that launches an archive beside whatever driver its context describes has to name Aeron's driver.
        noClasses().that().resideInAPackage(ARCHIVE).and().doNotHaveSimpleName("MillraceArchive")
            .should().dependOnClassesThat().resideInAPackage("io.aeron.driver..")
            .check(classes);
    }

    @Test
    void nothingKnowsTheSamples()
    {
        noClasses().that().resideOutsideOfPackages(SAMPLES, "io.millrace.tests..")
            .should().dependOnClassesThat().resideInAPackage(SAMPLES)
            .check(classes);
    }

    @Test
    void modulesHaveNoCycles()
    {
        slices().matching("io.millrace.(*)..").should().beFreeOfCycles().check(classes);
    }

    @Test
    void packagesOfTheSamplesHaveNoCycles()
    {
        slices().matching("io.millrace.samples.(*)..").should().beFreeOfCycles().check(classes);
    }
}
